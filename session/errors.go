package session

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// StateDirError says that the state directory cannot be used.
type StateDirError struct {
	Dir string
	Err error
}

func (e *StateDirError) Error() string {
	return fmt.Sprintf("use state directory %s: %v", e.Dir, e.Err)
}
func (e *StateDirError) Unwrap() error { return e.Err }

// NotFoundError says that there is no such session; an empty Name means that there is none at all.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string {
	if e.Name == "" {
		return "no session is there"
	}
	return fmt.Sprintf("no session is named %q", e.Name)
}

// AmbiguousError says that a session must be named because several could be meant.
type AmbiguousError struct{ Names []string }

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%d sessions could be meant: %v", len(e.Names), e.Names)
}

// KeysLostError says that a session's container is there but what this machine needs to enter it is not.
type KeysLostError struct {
	Name string
	Err  error
}

func (e *KeysLostError) Error() string {
	return fmt.Sprintf("enter session %s: its keys are lost: %v", e.Name, e.Err)
}
func (e *KeysLostError) Unwrap() error { return e.Err }

// NameTakenError says that the wanted name belongs to another session.
type NameTakenError struct{ Name string }

func (e *NameTakenError) Error() string {
	return fmt.Sprintf("the name %q is taken by another session", e.Name)
}

// BadNameError says that the wanted name cannot be a session's.
type BadNameError struct{ Name string }

func (e *BadNameError) Error() string { return fmt.Sprintf("%q cannot be a session's name", e.Name) }

var (
	// ErrContainerStopped: the container ended by itself or was killed from outside; its files are kept.
	ErrContainerStopped = errors.New("the session's container is not running")
	// ErrContainerGone: the container was removed; the session is over.
	ErrContainerGone = errors.New("the session's container was removed")
	// ErrNotAttached: this process holds no connection to the session.
	ErrNotAttached = errors.New("not attached to the session")
	// ErrNotOwner: another process owns the session's host ports.
	ErrNotOwner = errors.New("another window owns the session's ports")
	// ErrClosed: the supervisor ended.
	ErrClosed = errors.New("sessions are closed")
)

// StoppedError is ErrContainerStopped with what is known of the end.
type StoppedError struct {
	Name     string
	ExitCode int
	Logs     string // the agent's last lines, bounded
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("the container of %s stopped (exit code %d)", e.Name, e.ExitCode)
}

// Is makes errors.Is(err, ErrContainerStopped) true.
func (e *StoppedError) Is(target error) bool { return target == ErrContainerStopped }

// ConnectTimeoutError says that a running container's SSH server did not answer.
type ConnectTimeoutError struct {
	Name  string
	After time.Duration
}

func (e *ConnectTimeoutError) Error() string {
	return fmt.Sprintf("connect to %s: no answer within %v", e.Name, e.After)
}

// RepositorySettingsError says what could not be understood of the repository's devcontainer.json. The rest of it counts, or, where it is about the
// whole file, what the file said before.
type RepositorySettingsError struct {
	Err   error
	Whole bool
}

func (e *RepositorySettingsError) Error() string { return "read devcontainer.json: " + e.Err.Error() }
func (e *RepositorySettingsError) Unwrap() error { return e.Err }

// ImageError says that there is no image to start a session from; Err says why.
type ImageError struct{ Err error }

func (e *ImageError) Error() string { return "prepare the image: " + e.Err.Error() }
func (e *ImageError) Unwrap() error { return e.Err }

// CheckoutError says that the repository could not be brought into the container; Err is what git said.
type CheckoutError struct{ Err error }

func (e *CheckoutError) Error() string {
	return "copy the repository into the container: " + e.Err.Error()
}
func (e *CheckoutError) Unwrap() error { return e.Err }

// DevcontainerError says that no session can be made as devcontainer.json describes it.
type DevcontainerError struct {
	Err  error
	Hint string
}

func (e *DevcontainerError) Error() string { return "use devcontainer.json: " + e.Err.Error() }
func (e *DevcontainerError) Unwrap() error { return e.Err }

// RefusedError names what devcontainer.json asks for and a repository is not given. The session is made without.
type RefusedError struct{ Asked []string }

func (e *RefusedError) Error() string {
	return "devcontainer.json asks for what a repository is not given: " + strings.Join(e.Asked, "; ")
}

// RemoteWindowError says that a window of Remote-SSH goes on forwarding ports by itself; ours are made without a word meanwhile.
type RemoteWindowError struct{ Name, Editor string }

func (e *RemoteWindowError) Error() string {
	return "a window of " + e.Editor + " is attached to " + e.Name + " by Remote-SSH, and forwards ports itself"
}
