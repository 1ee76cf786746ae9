package session

import (
	"context"
	"strings"

	"github.com/sketch-ide/sketch-ide/repo"
)

// slug is the session's part of the branch name.
func slug(name string) string { return strings.TrimPrefix(name, NamePrefix) }

func (s *Session) isReady() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inside.ready
}

// copyIn puts the repository into the container, and records that it is there.
func (s *Session) copyIn(ctx context.Context, r *repo.Repo, report func(string)) error {
	r = s.serve(r)
	if err := r.Checkout(ctx, s, s.rec.Workspace, slug(s.rec.Name), report); err != nil {
		return &CheckoutError{Err: err}
	}
	return s.setReady("sketch/"+slug(s.rec.Name), r.Head, r.Branch)
}

// setReady records that the repository is inside, on disk first: a later process must not copy it again over work that was done.
func (s *Session) setReady(branch, commit, baseBranch string) error {
	rec := s.rec
	rec.Ready, rec.Branch, rec.Commit, rec.BaseBranch = true, branch, commit, baseBranch
	if err := s.store.save(rec); err != nil {
		return err
	}
	s.update(func() { s.inside = insideState{ready: true, branch: branch, commit: commit, baseBranch: baseBranch} })
	return nil
}
