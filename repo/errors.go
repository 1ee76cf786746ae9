package repo

import "errors"

// What keeps a folder from being opened. Each is a sentence about the folder that the [OpenError] names.
var (
	ErrNoGit         = errors.New("git is not installed on this machine")
	ErrGitTooOld     = errors.New("git on this machine is too old")
	ErrNoFolder      = errors.New("there is no such folder")
	ErrNotRepository = errors.New("not a git repository")
	ErrInsideGitDir  = errors.New("the folder is inside a git directory, not a working tree")
	ErrBare          = errors.New("a bare git repository has no files to work on")
	ErrNoCommit      = errors.New("the git repository has no commit yet")
	ErrUnsafe        = errors.New("git refuses the repository because it belongs to another user")
	ErrPartialClone  = errors.New("the git repository is a partial clone, which lacks objects that the session needs")
)

// What ends a fetch or a checkout.
var (
	ErrTooMuchInput = errors.New("the git client sent more than a fetch needs")
	ErrSlug         = errors.New("not usable as the last part of a branch name")
	ErrNoGitInside  = errors.New("there is no git inside the container")
)

// OpenError says why a folder cannot be opened. Err is, or wraps, one of the sentinels above, or is what git said.
type OpenError struct {
	Dir  string // the folder, as it was given to Open
	Err  error
	Hint string // what to do about it, one sentence; may be empty
}

func (e *OpenError) Error() string { return "open repository " + e.Dir + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *OpenError) Unwrap() error { return e.Err }
