package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/sketch-ide/sketch-ide/repo"
)

// Branch is the branch on the host that a session's commits come back as, at one moment.
type Branch struct {
	Name       string // short name on the host, "sketch/fix-login"
	Exists     bool   // it is there: something was committed inside and brought out
	Commit     string // its tip
	Subject    string // first line of the tip's message
	Base       string // commit that the work started from; empty until the repository is inside
	BaseBranch string // branch that was checked out on the host then; empty when HEAD was detached
	Ahead      int    // commits since Base
	Behind     int    // commits that BaseBranch has got since
	Updated    time.Time
	Others     []OtherBranch // further branches that were made inside, as they were brought out
	OthersLeft bool          // there are more, which are not brought out
	Detached   string        // a commit inside that no branch there has, so that it is not brought out; empty: none
	Err        error         // why the latest commits are not there; a *BranchError
}

func (b Branch) same(o Branch) bool {
	return reflect.DeepEqual(b, o) //nolint:govet // the errors are of one type, and say all there is
}

// BranchError says why a session's latest commits are not on the host.
type BranchError struct {
	Err  error
	Hint string // what to do about it
}

func (e *BranchError) Error() string { return e.Err.Error() }
func (e *BranchError) Unwrap() error { return e.Err }

func branchError(name string, err error) *BranchError {
	e := &BranchError{Err: err}
	_, out := errors.AsType[*repo.CheckedOutError](err)
	switch {
	case out:
		e.Hint = "Check out another branch there, or take the commits over: sketch-ide merge " + name
	case errors.Is(err, repo.ErrDiskFull):
		e.Hint = "Make room on this machine; nothing is lost, and it is tried again by itself."
	case errors.Is(err, repo.ErrTooBig):
		e.Hint = "Take large files out of the commits inside, or raise the setting sketch.maxPack (MiB)."
	case errors.Is(err, repo.ErrAllowance):
		e.Hint = "It goes on within a day. If the work is meant to be that large, raise the setting sketch.maxPackPerDay (MiB)."
	case errors.Is(err, repo.ErrBadObjects), errors.Is(err, repo.ErrNotOffered):
		e.Hint = "Nothing of it was taken over. See what is inside: sketch-ide ssh " + name + " -- git fsck"
	case errors.Is(err, repo.ErrBranchTaken):
		e.Hint = "Delete branches below sketch/ that are not needed any more."
	default:
		e.Hint = "It is tried again with the next commit. Look whether git can write there: git branch --list 'sketch*'"
	}
	return e
}

// Branch returns the attached session's branch; an empty name means the only one.
func (s *Supervisor) Branch(name string) (Branch, error) {
	x, err := s.session(name)
	if err != nil {
		return Branch{}, err
	}
	return x.Branch(), nil
}

// Branch returns where the session's branch stands.
func (s *Session) Branch() Branch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.branchLocked()
}

func (s *Session) branchLocked() Branch {
	if s.branch.Name != "" {
		return s.branch
	}
	return Branch{Name: s.inside.branch, Base: s.inside.commit, BaseBranch: s.inside.baseBranch}
}

var _ repo.Source = (*Session)(nil)

// Output runs a POSIX shell script inside, by sh, and hands out what it writes.
func (s *Session) Output(ctx context.Context, script string, stdin io.Reader, stdout io.Writer, stderr func(line string)) error {
	lines := repo.Lines(stderr)
	err := s.Exec(ctx, []string{"sh", "-c", script}, Streams{In: stdin, Out: stdout, Err: lines})
	lines.Flush()
	return err
}

// NameBranch renames the session's branch to sketch/<slug>, or to one like it where that name is taken: the one that the work is on inside, and the one on the
// host that its commits come back as. Once something has been brought out, the name stays. It returns the branch's name, which is the old one with an error too.
func (s *Supervisor) NameBranch(ctx context.Context, session, slug string) (branch string, err error) {
	x, err := s.session(session)
	if err != nil {
		return "", err
	}
	unlock, err := x.lockBranch(ctx)
	if err != nil {
		return x.Branch().Name, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	now, err := x.loadBranch()
	if err != nil || now.Base == "" || now.Pulled != "" {
		return now.Name, err
	}
	r, err := x.served(ctx)
	if err != nil {
		return now.Name, err
	}
	name, err := r.FreeBranch(ctx, repo.BranchPrefix+slug, func(name string) bool { return s.cfg.Store.branchTaken(name, x.rec.Name) })
	if err != nil || name == now.Work {
		return now.Name, err
	}
	if err := x.renameInside(ctx, now.Work, name); err != nil {
		return now.Name, err
	}
	now.Work, now.Name = name, name
	return name, x.saveBranch(now)
}

// renameScript moves the branch, which HEAD follows, and what checkout.sh knows it by.
const renameScript = `set -eu
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
cd -- "$workspace"
git branch -m "$old" "$new"
git config sketch.branch "$new"
`

func (s *Session) renameInside(ctx context.Context, from, to string) error {
	var said []string
	script := fmt.Sprintf("workspace=%s\nold=%s\nnew=%s\n%s", shellQuote(s.rec.Workspace), shellQuote(from), shellQuote(to), renameScript)
	err := s.Run(ctx, script, nil, func(line string) { said = append(said[max(0, len(said)-4):], line) })
	if err != nil {
		return fmt.Errorf("rename branch inside: %w: %s", err, strings.Join(said, "; "))
	}
	return nil
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// PullLimits bound what a container's commits may take of the host's disk. They are in bytes.
type PullLimits struct {
	MaxPack       int64 // that a session's commits may have at once; 0: repo.DefaultMaxPack
	MaxPackPerDay int64 // that they may have within a day, taken together; 0: DefaultMaxPackPerDay
}

// DefaultMaxPackPerDay is how much a session may bring out within a day.
const DefaultMaxPackPerDay = 8 * repo.DefaultMaxPack

const allowanceTime = 24 * time.Hour

// allowance is what may be brought out now. It begins anew a day after its first use.
func (b *savedBranch) allowance(most int64, now time.Time) repo.Allowance {
	if age := now.Sub(b.TakenSince); age >= allowanceTime || age < 0 {
		b.Taken, b.TakenSince = 0, now.UTC().Round(0)
	}
	return repo.Allowance{Left: cmp.Or(most, DefaultMaxPackPerDay) - b.Taken}
}

// limit sets how much pulls may bring.
func (s *Session) limit(limits PullLimits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pullLimits = limits
}

func (s *Session) limitsNow() PullLimits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pullLimits
}
