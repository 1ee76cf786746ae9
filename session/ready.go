package session

import (
	"context"
	"errors"
	"io/fs"
	"os"
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
	if s.carries() {
		report("Taking changes that are not committed along")
		if err := r.CarryUncommitted(ctx, s, s.rec.Workspace); err != nil {
			return &CheckoutError{Err: err}
		}
	}
	return s.setReady("sketch/"+slug(s.rec.Name), r.Head, r.Branch)
}

// carryUncommitted says whether what is not committed on the host comes along.
func (s *Session) carryUncommitted(carry bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.carry = carry
}

func (s *Session) carries() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.carry
}

// left says what has not come along.
func (s *Session) left(ctx context.Context, r *repo.Repo) []string {
	if s.carries() {
		return nil
	}
	return r.Uncommitted(ctx)
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

// prepare runs what devcontainer.json wants run inside: at the creation once, waited for; at the start and the attaching beside what follows.
func (s *Session) prepare(ctx context.Context, h hooks, report func(Progress)) error {
	done := s.store.path(s.rec.Name, "prepared")
	if _, err := os.Stat(done); errors.Is(err, fs.ErrNotExist) {
		if err := s.runCreate(ctx, h.create, report); err != nil {
			return err
		}
		if err := writeFile(done, nil, volatile); err != nil {
			return err
		}
	}
	s.attached.Do(func() { s.runBeside(h) })
	return nil
}

// background runs work beside the session's own parts; it is ended and waited for with them.
func (s *Session) background(work func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx := s.running; ctx != nil {
		s.works.Go(func() { work(ctx) })
	}
}

// serveBackground lets background begin until the returned function is called, which waits for what has begun. ctx has ended by then.
func (s *Session) serveBackground(ctx context.Context) (wait func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = ctx
	return func() {
		s.mu.Lock()
		s.running = nil
		s.mu.Unlock()
		s.works.Wait()
	}
}
