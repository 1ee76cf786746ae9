package gitwatch

import (
	"errors"
	"fmt"
	"regexp"
)

// State is where a branch of the repository inside stands.
type State struct {
	Branch string `json:"branch"`           // short name, as it was asked for
	Commit string `json:"commit,omitempty"` // its tip; empty when there is no such branch
	Head   string `json:"head,omitempty"`   // short name of the branch that is checked out; empty when HEAD is detached
}

// Base is where the host's branch stands that the work inside started from.
type Base struct {
	Branch string `json:"branch"` // short name on the host
	Commit string `json:"commit"` // its tip
	Behind int    `json:"behind"` // commits that it has got since the work started
}

const (
	maxName = 512     // bytes of a branch's name
	maxLine = 4 << 10 // bytes of a State or Base in JSON
)

var (
	commitName = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	branchName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/-]*$`)
	errState   = errors.New("malformed state of a branch")
)

// check is what the host asks of a state that comes from the container.
func (s State) check(branch string) error {
	switch {
	case s.Branch != branch:
		return fmt.Errorf("%w: of another branch, %.80q", errState, s.Branch)
	case s.Commit != "" && !commitName.MatchString(s.Commit):
		return fmt.Errorf("%w: commit %.80q", errState, s.Commit)
	case len(s.Head) > maxName:
		return fmt.Errorf("%w: the name of a branch has %d bytes", errState, len(s.Head))
	}
	return nil
}

// validBranch accepts what the branches of sessions are called; git for-each-ref takes it as a pattern, so that wildcards have no place in it.
func validBranch(name string) bool { return len(name) <= maxName && branchName.MatchString(name) }
