package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sketch-ide/sketch-ide/repo"
)

// ErrNoBranch says that nothing was committed inside, or nothing has been brought out yet.
var ErrNoBranch = errors.New("the session has committed nothing yet")

// NoSuchBranchError says that a session has no branch of that name on the host beside its own.
type NoSuchBranchError struct {
	Branch string
	Others []string // those that it has
}

func (e *NoSuchBranchError) Error() string {
	return fmt.Sprintf("the session has no branch %.100q here", e.Branch)
}

// workOf is what a question about a session's work needs: the host's repository, where the branch stands, and, when it is asked for, a way inside.
type workOf struct {
	rec    record
	branch savedBranch
	name   string // of the branch in question, on the host: the session's own, or one that was made inside beside it
	owner  string // whose that is in the repository
	repo   *repo.Repo
	x      *Session // nil: this process is not attached to it
	sup    *Supervisor
}

// workOn finds a session's work on one of its branches; an empty one means the session's own.
func (s *Supervisor) workOn(ctx context.Context, name, branch string) (*workOf, error) {
	w, err := s.workOf(ctx, name)
	if err != nil {
		return nil, err
	}
	w.name, w.owner = w.branch.Name, w.rec.Name
	if branch == "" || branch == w.name {
		return w, nil
	}
	for _, o := range w.branch.Others {
		if o.Name == branch {
			w.name, w.owner = branch, repo.Aside(w.rec.Name, o.Inside)
			return w, nil
		}
	}
	return nil, &NoSuchBranchError{Branch: branch, Others: w.others()}
}

// others are the names on the host of the branches that were made inside beside the session's own.
func (w *workOf) others() []string {
	var names []string
	for _, o := range w.branch.Others {
		if o.Name != "" {
			names = append(names, o.Name)
		}
	}
	return names
}

// workOf finds a session's work, whether or not this process is attached to it; an empty name means the only session.
func (s *Supervisor) workOf(ctx context.Context, name string) (*workOf, error) {
	x, err := s.session(name)
	if err == nil {
		return attachedWork(ctx, s, x)
	}
	if _, unknown := errors.AsType[*NotFoundError](err); !unknown {
		return nil, err
	}
	info, err := s.Find(ctx, name, "")
	if err != nil {
		return nil, err
	}
	w := &workOf{sup: s}
	if w.rec, err = s.cfg.Store.load(info.Name); err != nil {
		return nil, err
	}
	if w.branch, err = s.cfg.Store.loadBranch(info.Name); err != nil {
		return nil, err
	}
	if w.branch.Name == "" {
		w.branch = savedBranch{Work: w.rec.Branch, Name: w.rec.Branch, Base: w.rec.Commit, BaseBranch: w.rec.BaseBranch}
	}
	if w.repo, err = repo.Open(ctx, w.rec.Folder); err != nil {
		return nil, err
	}
	w.repo.Scratch = s.cfg.Store.path(info.Name)
	return w.checked()
}

func attachedWork(ctx context.Context, s *Supervisor, x *Session) (*workOf, error) {
	w := &workOf{sup: s, x: x, rec: x.rec}
	var err error
	if w.branch, err = x.loadBranch(); err != nil {
		return nil, err
	}
	if w.repo, err = x.served(ctx); err != nil {
		return nil, err
	}
	return w.checked()
}

func (w *workOf) checked() (*workOf, error) {
	if w.branch.Base == "" {
		return nil, fmt.Errorf("%w: the repository is not inside yet", ErrNotAttached)
	}
	return w, nil
}

// tip is the latest commit on the host of the branch in question.
func (w *workOf) tip(ctx context.Context) (string, error) {
	tip, err := w.repo.Latest(ctx, w.owner, w.name)
	if err == nil && tip == "" {
		err = ErrNoBranch
		if others := w.others(); len(others) > 0 {
			err = fmt.Errorf("%w on %s, but on %s", err, w.name, strings.Join(others, ", "))
		}
	}
	return tip, err
}

// inside calls f with a way into the container: this process's, or one for the moment.
func (w *workOf) inside(ctx context.Context, f func(repo.Source) error) error {
	if w.x != nil {
		return f(w.x)
	}
	e, err := w.sup.connect(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, &ConnectTimeoutError{Name: w.rec.Name, After: connectTimeout})
	defer cancel()
	return w.sup.reach(ctx, e, w.rec, func(x *Session) error { return f(x) })
}

// DiffOptions say what is compared.
type DiffOptions struct {
	repo.DiffOptions
	Branch      string // on the host: one that was made inside beside the session's own, which is meant when it is empty
	Uncommitted bool   // up to the files as they are inside, whatever is checked out there
}

// WorkDiff is what a session has changed since its base.
type WorkDiff struct {
	repo.Diff
	Session, Branch, Base string
	Head                  string        // empty: the files as they are inside
	Others                []OtherBranch // that the session has besides
}

// Diff compares a session's base with its branch, or with the files as they are inside.
func (s *Supervisor) Diff(ctx context.Context, name string, o DiffOptions) (WorkDiff, error) {
	w, err := s.workOn(ctx, name, o.Branch)
	if err != nil {
		return WorkDiff{}, err
	}
	d := WorkDiff{Session: w.rec.Name, Branch: w.name, Base: w.branch.Base, Others: w.branch.state().Others}
	if o.Uncommitted {
		err := w.inside(ctx, func(src repo.Source) (err error) {
			d.Diff, err = w.repo.DiffInside(ctx, src, w.rec.Workspace, d.Base, o.DiffOptions)
			return err
		})
		return d, err
	}
	if d.Head, err = w.tip(ctx); err != nil {
		return WorkDiff{}, err
	}
	d.Diff, err = w.repo.Diff(ctx, d.Base, d.Head, o.DiffOptions)
	return d, err
}

// FileVersion is one of the states that a file of a session has.
type FileVersion int

// The versions.
const (
	AtBase   FileVersion = iota // when the work started
	AtBranch                    // at the branch's tip on the host
	Inside                      // as it is inside now
)

// File returns one version of a file; path is relative to the repository. The branch is one of the session's on the host, its own when it is empty.
func (s *Supervisor) File(ctx context.Context, name, branch, path string, version FileVersion) (repo.File, error) {
	w, err := s.workOn(ctx, name, branch)
	if err != nil {
		return repo.File{}, err
	}
	switch version {
	case Inside:
		var f repo.File
		err := w.inside(ctx, func(src repo.Source) (err error) {
			f, err = repo.FileInside(ctx, src, w.rec.Workspace, path)
			return err
		})
		return f, err
	case AtBranch:
		tip, err := w.tip(ctx)
		if err != nil {
			return repo.File{}, err
		}
		return w.repo.File(ctx, tip, path)
	case AtBase:
	}
	return w.repo.File(ctx, w.branch.Base, path)
}

// WorkMerged is what a merge of a session's work did or would do.
type WorkMerged struct {
	repo.Merged
	Session, Branch string
}

// Merge takes a session's work over into what is checked out in its folder on the host: that on the Branch of m, or its own when that is empty. Tip is set here.
func (s *Supervisor) Merge(ctx context.Context, name string, m repo.Merge) (WorkMerged, error) {
	w, err := s.workOn(ctx, name, m.Branch)
	if err != nil {
		return WorkMerged{}, err
	}
	result := WorkMerged{Session: w.rec.Name, Branch: w.name}
	m.Branch = w.name
	if m.Tip, err = w.tip(ctx); err != nil {
		return result, err
	}
	result.Merged, err = w.repo.Merge(ctx, m)
	return result, err
}
