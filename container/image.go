package container

import (
	"context"
	"errors"
)

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
// context (less .git and what .dockerignore excludes), the arguments, the base images. report may be nil; it is called
// from this goroutine, and must not block.
// Errors: *BuildError, *PullError, *WrongArchError, ErrNoGit, ErrNoShell, ErrTooBig (the build context), ErrEngineLost.
func (e *Engine) EnsureImage(ctx context.Context, spec ImageSpec, report func(Progress)) (Image, error) {
	src, err := findSource(spec)
	if err != nil {
		return Image{}, err
	}
	b := imageBuild{Engine: e, spec: spec, src: src, report: newReporter(report)}
	if err := b.readInputs(ctx); err != nil {
		return Image{}, err
	}
	if !spec.Rebuild {
		found, err := b.lookup(ctx)
		if err != nil || found.Cached {
			return found, err
		}
	}
	img, err := b.run(ctx)
	if vanished(err) && ctx.Err() == nil {
		e.log.Debug("build image once more", "err", err)
		return b.run(ctx)
	}
	return img, err
}

// vanished tells whether err may come from a layer that was removed while it was in use: the classic builder does not
// hold the cached ones that it builds upon, so that a prune elsewhere can take them away. Such a failure is the
// builder's and not a command's, and costs little to try again.
func vanished(err error) bool {
	failure, ok := errors.AsType[*BuildError](err)
	return ok && failure.Code == 0 || errors.Is(err, ErrNotFound)
}
