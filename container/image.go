package container

import "context"

// DefaultBaseImage is used where the repository has no Dockerfile of its own and the settings name no image: Debian
// with git, compilers and the libraries that they are mostly asked for.
const DefaultBaseImage = "buildpack-deps:bookworm"

// ImageSpec says what a session's image is made from.
type ImageSpec struct {
	Dir        string            // the repository's root; .sketch/Dockerfile, then Dockerfile.sketch are looked for in it
	BaseImage  string            // where there is neither; "" = DefaultBaseImage
	BuildArgs  map[string]string // for the Dockerfile's ARGs
	Rebuild    bool              // build afresh, without the image and layers that are there
	MaxContext int64             // bound of the build context in bytes; 0 = 1 GiB
}

// Image is an image that sessions can run in: it has a shell and git, and runs on the engine.
type Image struct {
	ID     string // sha256:…
	Ref    string // sketch-ide/<repository>:<hash of the inputs>
	Arch   string // in Go's names
	User   string // as the image's USER says; "" = root
	UID    int    // of User, as a process in the container has it
	GID    int
	Home   string // HOME of User
	Bash   bool   // bash is on the PATH
	IPv6   bool   // containers of this engine can have ::1
	Source string // "Dockerfile.sketch", ".sketch/Dockerfile", or the base image's name
	Cached bool   // nothing had to be built
}

// EnsureImage returns the image for spec, building it only when its inputs changed: the Dockerfile, the files of its
// context, the arguments, the base images. report may be nil; it is called from this goroutine, and must not block.
// Errors: *BuildError, *PullError, *WrongArchError, ErrNoGit, ErrNoShell, ErrTooBig (the build context), ErrEngineLost.
func (e *Engine) EnsureImage(ctx context.Context, spec ImageSpec, report func(Progress)) (Image, error) {
	return Image{}, nil
}
