package container

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Sentinels, matched by errors.Is. Those with more to say are wrapped by a type below.
var (
	// ErrNoEngine: nothing answers where an engine should be; see NoEngineError.
	ErrNoEngine = errors.New("no container engine answers")
	// ErrEngineDenied: an engine is there, and this user may not use it; see NoEngineError.
	ErrEngineDenied = errors.New("permission to use the container engine is denied")
	// ErrHostUnsupported: the configured engine address is of a kind that cannot be used, such as npipe://.
	ErrHostUnsupported = errors.New("engine address is not supported")
	// ErrEngineLost: the engine went away in the middle of a call, which may be tried again once it is back.
	ErrEngineLost = errors.New("container engine stopped answering")
	// ErrNotFound: there is no such container, image or file.
	ErrNotFound = errors.New("not found")
	// ErrNameConflict: a container of that name exists already.
	ErrNameConflict = errors.New("container name is taken")
	// ErrPortPublish: the engine could not publish the SSH port on 127.0.0.1.
	ErrPortPublish = errors.New("cannot publish the SSH port")
	// ErrNotRunning: the call needs a running container.
	ErrNotRunning = errors.New("container is not running")
	// ErrInUse: the image cannot be removed while a container is made from it.
	ErrInUse = errors.New("image is in use by a container")
	// ErrTooBig: a file or a build context is above its bound.
	ErrTooBig = errors.New("too big")
	// ErrWrongArch: the image is for a processor that the engine neither has nor emulates; see WrongArchError.
	ErrWrongArch = errors.New("image is for another architecture")
	// ErrNoGit: the image has no git, and no package manager that could add it.
	ErrNoGit = errors.New("image has no git and no known package manager; add git to it")
	// ErrNoShell: the image has no sh.
	ErrNoShell = errors.New("image has no shell; sketch-ide needs a Linux image with sh")
)

// Attempt is one address at which an engine was looked for.
type Attempt struct {
	Host   string // unix:///var/run/docker.sock
	Origin string // what named it: "DOCKER_HOST", "docker context \"remote\"", "well-known socket"
	Err    error
}

// NoEngineError is ErrNoEngine, or ErrEngineDenied where at least one address refused this user.
type NoEngineError struct {
	Tried []Attempt
	kind  error
}

func (e *NoEngineError) Error() string {
	parts := make([]string, len(e.Tried))
	for i, a := range e.Tried {
		parts[i] = fmt.Sprintf("%s: %v", strings.TrimSpace(a.Host+" ("+a.Origin+")"), a.Err)
	}
	return e.kind.Error() + "; tried " + strings.Join(parts, "; ")
}

func (e *NoEngineError) Unwrap() error { return e.kind }

// Hint is what to try.
func (e *NoEngineError) Hint() string {
	if errors.Is(e.kind, ErrEngineDenied) {
		return "Add yourself to the docker group (sudo usermod -aG docker $USER) and log in again, or use a rootless engine."
	}
	return "Start Docker, or set DOCKER_HOST to the address of an engine."
}

// ContextError is ErrNoEngine: the docker context in use is none, or names no engine.
type ContextError struct {
	Name   string
	Origin string   // what chose it: "DOCKER_CONTEXT", "docker context use"
	Known  []string // names of the contexts that there are, "default" first, at most 100
	Err    error    // fs.ErrNotExist where there is none of that name
}

func (e *ContextError) Error() string {
	if errors.Is(e.Err, fs.ErrNotExist) {
		return fmt.Sprintf("docker context %q, chosen by %s, does not exist", e.Name, e.Origin)
	}
	return fmt.Sprintf("docker context %q, chosen by %s: %s", e.Name, e.Origin, plain(e.Err.Error()))
}

func (e *ContextError) Unwrap() []error { return []error{ErrNoEngine, e.Err} }

// Hint is what to try.
func (e *ContextError) Hint() string {
	change := "Run `docker context use` with another one"
	if e.Origin == "DOCKER_CONTEXT" {
		change = "Unset DOCKER_CONTEXT, or set it to another one"
	}
	return change + "; there are: " + strings.Join(e.Known, ", ") + "."
}

// PullError tells why a base image could not be had.
type PullError struct {
	Ref    string // as the Dockerfile or the settings name it
	Reason string // the engine's words
	Hint   string
	Err    error
}

func (e *PullError) Error() string { return fmt.Sprintf("pull image %s: %s", e.Ref, e.Reason) }

func (e *PullError) Unwrap() error { return e.Err }

// BuildError tells why an image could not be built.
type BuildError struct {
	Dockerfile string   // path relative to the repository, or "" where it is generated
	Step       string   // "3/5: RUN make", or "" when it failed before the first; our labels count as steps
	Code       int      // exit code of the step's command; 0 when the builder itself failed
	Reason     string   // the engine's words
	Lines      []string // the end of the build's output, at most 20 lines
	Hint       string   // what to try; may be empty
	Err        error    // the cause where it was no step's; may be nil
	again      bool     // the builder itself failed in the middle of a step
}

func (e *BuildError) Unwrap() error { return e.Err }

func (e *BuildError) Error() string {
	var b strings.Builder
	b.WriteString("build image")
	if e.Dockerfile != "" {
		b.WriteString(" from " + e.Dockerfile)
	}
	if e.Step != "" {
		b.WriteString(" at step " + e.Step)
	}
	b.WriteString(": " + e.Reason)
	return b.String()
}

// mentions tells whether the engine's words or the output contain text.
func (e *BuildError) mentions(text string) bool {
	return strings.Contains(e.Reason, text) || strings.Contains(strings.Join(e.Lines, "\n"), text)
}

// WrongArchError is ErrWrongArch with the two architectures, in Go's names.
type WrongArchError struct {
	Ref, Image, Engine string
}

func (e *WrongArchError) Error() string {
	return fmt.Sprintf("image %s is for %s, and the engine runs %s without emulation", e.Ref, e.Image, e.Engine)
}

func (e *WrongArchError) Unwrap() error { return ErrWrongArch }
