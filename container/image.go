package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
)

// DefaultBaseImage is used where the repository has no Dockerfile of its own and the settings name no image: Debian
// with git, compilers and the libraries that they are mostly asked for.
const DefaultBaseImage = "buildpack-deps:bookworm"

// ImageSpec says what a session's image is made from.
type ImageSpec struct {
	Dir        string            // the repository's root; without Image and Dockerfile, .sketch/Dockerfile, then Dockerfile.sketch are looked for in it
	Image      string            // an image to take as it is, before everything else
	Dockerfile string            // a Dockerfile's path in Dir, slash-separated
	Context    string            // the folder in Dir that its COPYs mean; "" = its own
	Target     string            // the stage of the Dockerfile to build; "" = the last
	BaseImage  string            // where there is none of these; "" = DefaultBaseImage
	BuildArgs  map[string]string // for the Dockerfile's ARGs
	User       string            // whom sessions run as, in place of the image's USER; a name or number, perhaps with a group
	Rebuild    bool              // build afresh, without the image and layers that are there
	MaxContext int64             // bound of the build context in bytes; 0 = 1 GiB
}

// Image is an image that sessions can run in: it has a shell and git, and runs on the engine.
type Image struct {
	ID     string // sha256:…
	Ref    string // sketch-ide/<repository>:<hash of the inputs>
	Arch   string // in Go's names
	User   string // as ImageSpec.User or the image's USER says; "" = root
	UID    int    // of User, as a process in the container has it
	GID    int
	Home   string   // HOME of User
	Env    []string // of the image, NAME=value
	Bash   bool     // bash is on the PATH
	IPv6   bool     // containers of this engine can have ::1
	Source string   // "Dockerfile.sketch", ".sketch/Dockerfile", or the base image's name
	Cached bool     // nothing had to be built
}

// EnsureImage returns the image for spec, building it only when its inputs changed: the Dockerfile, the files of its
// context (less what .dockerignore excludes), the arguments, the base images. report may be nil; it is called from this
// goroutine, and must not block.
//
// Only files of the repository are read: a Dockerfile or an ignore file that is a link out of it, or no regular file, is
// a *BuildError. No .git, at whatever depth, is ever sent to the engine, even if .dockerignore says "!.git": what a
// Dockerfile needs to know of the commit must come in as an argument or a file. Nor does the engine, which fetches what
// ADD names in its own network, get to see an ADD of a URL on this machine or a private network. A build has the limits
// that a session has by default.
// Errors: *BuildError, *PullError, *WrongArchError, ErrNoGit, ErrNoShell, ErrTooBig (the build context), ErrEngineLost.
func (e *Engine) EnsureImage(ctx context.Context, spec ImageSpec, report func(Progress)) (Image, error) {
	root, err := os.OpenRoot(spec.Dir)
	if err != nil {
		return Image{}, fmt.Errorf("open repository: %w", err)
	}
	defer root.Close()
	src, err := findSource(root, spec)
	if err != nil {
		return Image{}, err
	}
	if spec.User != "" && !regexpUser.MatchString(spec.User) {
		return Image{}, &BuildError{Dockerfile: src.name, Reason: "the user " + printable(spec.User) + " is none", Hint: "Name a user of the image, such as: vscode"}
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

// regexpUser is what a USER instruction is given.
var regexpUser = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,62})?$`)

// vanished tells whether err may come from a layer that was removed while it was in use: the classic builder does not
// hold the cached ones that it builds upon, so that a prune elsewhere can take them away. Such a failure is the
// builder's and not a command's, comes in the middle of a step, and costs little to try again.
func vanished(err error) bool {
	failure, ok := errors.AsType[*BuildError](err)
	return ok && failure.again || errors.Is(err, ErrNotFound)
}
