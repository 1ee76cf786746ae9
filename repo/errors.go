package repo

import (
	"errors"
	"fmt"
)

// What keeps a folder from being opened. Each is a sentence about the folder that the [OpenError] names.
var (
	ErrNoGit         = errors.New("git is not installed on this machine")
	ErrGitTooOld     = errors.New("git on this machine is too old")
	ErrNoFolder      = errors.New("there is no such folder")
	ErrNotFolder     = errors.New("it is a file, not a folder")
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

// What keeps a container's commits from becoming a branch on the host.
var (
	ErrTooBig      = errors.New("the commits are larger than the limit")
	ErrAllowance   = errors.New("the session has brought out as much as it may for now")
	ErrBadObjects  = errors.New("git refuses what the container sent")
	ErrNotOffered  = errors.New("the commits refer to objects that were neither sent nor are on offer to the container")
	ErrBranchTaken = errors.New("no name is left for the branch")
)

// CheckedOutError says that the session's branch is checked out on the host, and so is not moved. The commit is kept under refs/sketch/.
type CheckedOutError struct {
	Branch string // short name
	Path   string // of the working tree
	Ref    string // full name of the ref that keeps the commit meanwhile
}

func (e *CheckedOutError) Error() string {
	return fmt.Sprintf("branch %s is checked out in %s, so it stays as it is", e.Branch, e.Path)
}

// OpenError says why a folder cannot be opened. Err is, or wraps, one of the sentinels above, or is what git said.
type OpenError struct {
	Dir  string // the folder, as it was given to Open
	Err  error
	Hint string // what to do about it, one sentence; may be empty
}

func (e *OpenError) Error() string { return "open repository " + e.Dir + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *OpenError) Unwrap() error { return e.Err }
