package session

import "strings"

// slug is the session's part of the branch name.
func slug(name string) string { return strings.TrimPrefix(name, NamePrefix) }

func (s *Session) isReady() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inside.ready
}

// setReady records that the repository is inside, on disk first: a later process must not copy it again over work that was done.
func (s *Session) setReady(branch, commit string) error {
	rec := s.rec
	rec.Ready, rec.Branch, rec.Commit = true, branch, commit
	if err := s.store.save(rec); err != nil {
		return err
	}
	s.update(func() { s.inside = insideState{ready: true, branch: branch, commit: commit} })
	return nil
}
