package gitwatch

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// State is where a branch of the repository inside stands, and what commits there are beside it.
type State struct {
	Branch string `json:"branch"`           // short name, as it was asked for
	Commit string `json:"commit,omitempty"` // its tip; empty when there is no such branch
	Head   string `json:"head,omitempty"`   // short name of the branch that is checked out; empty when HEAD is detached

	Others   []Other `json:"others,omitempty"`   // further branches with commits that neither the branch nor a remote's have, by name
	More     bool    `json:"more,omitempty"`     // there are more of those than are listed
	Detached string  `json:"detached,omitempty"` // the commit of a detached HEAD that no branch has, but for the steps of a rebase
}

// Other is another branch inside.
type Other struct {
	Name   string `json:"name"` // short, whatever git allows
	Commit string `json:"commit"`
}

// MaxOthers is how many other branches are told of.
const MaxOthers = 16

func (s State) same(o State) bool {
	return s.Branch == o.Branch && s.Commit == o.Commit && s.Head == o.Head && s.More == o.More && s.Detached == o.Detached && slices.Equal(s.Others, o.Others)
}

// Base is where the host's branch stands that the work inside started from.
type Base struct {
	Branch string `json:"branch"` // short name on the host
	Commit string `json:"commit"` // its tip
	Behind int    `json:"behind"` // commits that it has got since the work started
}

const (
	maxName  = 512      // bytes of a branch's name
	maxOther = 200      // bytes of another branch's
	maxLine  = 32 << 10 // bytes of a State or Base in JSON, in which a byte can take six
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
	case s.Detached != "" && !commitName.MatchString(s.Detached):
		return fmt.Errorf("%w: commit %.80q", errState, s.Detached)
	case len(s.Others) > MaxOthers:
		return fmt.Errorf("%w: %d other branches", errState, len(s.Others))
	}
	for _, o := range s.Others {
		if !validOther(o.Name) || o.Name == branch || !commitName.MatchString(o.Commit) {
			return fmt.Errorf("%w: other branch %.80q at %.80q", errState, o.Name, o.Commit)
		}
	}
	return nil
}

// validOther accepts what people can be shown. It goes into no command.
func validOther(name string) bool {
	return name != "" && len(name) <= maxOther && utf8.ValidString(name) && !strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) })
}

// validBranch accepts what the branches of sessions are called; git for-each-ref takes it as a pattern, so that wildcards have no place in it.
func validBranch(name string) bool { return len(name) <= maxName && branchName.MatchString(name) }
