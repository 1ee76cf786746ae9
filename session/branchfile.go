package session

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	branchFile = "branch.json"
	branchLock = "branch.lock"
)

// savedBranch is a session's branch in the state directory: written by the owner when commits have come, and by whoever names the branch, under the
// lock beside it; read by every window.
type savedBranch struct {
	Work       string       `json:"work"`             // the branch inside, and the wished name on the host
	Name       string       `json:"name"`             // the name on the host
	Pulled     string       `json:"pulled,omitempty"` // the last commit that was brought out and made a branch
	Base       string       `json:"base"`
	BaseBranch string       `json:"baseBranch,omitempty"`
	Commit     string       `json:"commit,omitempty"` // of the branch on the host; empty when it is not there
	Subject    string       `json:"subject,omitempty"`
	Ahead      int          `json:"ahead,omitempty"`
	Behind     int          `json:"behind,omitempty"`
	Updated    time.Time    `json:"updated,omitzero"`
	Taken      int64        `json:"taken,omitempty"`     // bytes that were brought out since TakenSince
	TakenSince time.Time    `json:"takenSince,omitzero"` //
	Others     []savedOther `json:"others,omitempty"`    // never more than maxOthers, also of branches that are gone inside
	Left       bool         `json:"left,omitempty"`      // there are more
	Detached   string       `json:"detached,omitempty"`  // a commit inside that is on no branch
	Error      string       `json:"error,omitempty"`
	Hint       string       `json:"hint,omitempty"`
}

func (b *savedBranch) state() Branch {
	state := Branch{
		Name: b.Name, Exists: b.Commit != "", Commit: b.Commit, Subject: b.Subject, Base: b.Base, BaseBranch: b.BaseBranch,
		Ahead: b.Ahead, Behind: b.Behind, Updated: b.Updated, OthersLeft: b.Left, Detached: b.Detached,
	}
	for _, o := range b.Others {
		state.Others = append(state.Others, o.state())
	}
	if b.Error != "" {
		state.Err = &BranchError{Err: errors.New(b.Error), Hint: b.Hint}
	}
	return state
}

func (b *savedBranch) same(o *savedBranch) bool { return reflect.DeepEqual(b, o) }

func (b *savedBranch) fail(err *BranchError) {
	b.Error, b.Hint = "", ""
	if err != nil {
		b.Error, b.Hint = err.Error(), err.Hint
	}
}

func (s *Store) loadBranch(name string) (savedBranch, error) {
	return readJSON[savedBranch]("branch", s.path(name, branchFile))
}

// branchTaken reports whether another session's commits come back as the branch.
func (s *Store) branchTaken(branch, session string) bool {
	names, err := s.Names()
	if err != nil {
		return false // the repository itself is asked too
	}
	for _, name := range names {
		if b, err := s.loadBranch(name); err == nil && name != session && (b.Work == branch || b.Name == branch) {
			return true
		}
	}
	return false
}

// loadBranch is what is known of the session's branch, in the file or from its start.
func (s *Session) loadBranch() (savedBranch, error) {
	b, err := s.store.loadBranch(s.rec.Name)
	if err != nil || b.Name != "" {
		return b, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return savedBranch{Work: s.inside.branch, Name: s.inside.branch, Base: s.inside.commit, BaseBranch: s.inside.baseBranch}, nil
}

// saveBranch is called with the branch's lock held.
func (s *Session) saveBranch(b savedBranch) error {
	err := writeJSON("branch", s.store.path(s.rec.Name, branchFile), b, volatile)
	// Told after it is written: who hears of a branch may ask for its changes at once, and is answered from the file.
	s.update(func() { s.branch, s.work = b.state(), b.Work })
	return err
}

// lockBranch keeps two processes from changing the session's branch at once.
func (s *Session) lockBranch(ctx context.Context) (unlock func() error, err error) {
	lock, err := waitLock(ctx, s.store.path(s.rec.Name, branchLock))
	if err != nil {
		return nil, err
	}
	return lock.Unlock, nil
}

// followBranch keeps what the file says, whoever writes it, until ctx ends.
func (s *Session) followBranch(ctx context.Context) (err error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch branch: %w", err)
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := w.Add(s.store.path(s.rec.Name)); err != nil {
		return fmt.Errorf("watch branch: %w", err)
	}
	for {
		b, err := s.store.loadBranch(s.rec.Name)
		if err != nil {
			s.log.Warn("read branch", "error", err) // the next write mends it
		} else if b.Name != "" {
			s.update(func() { s.branch, s.work = b.state(), b.Work })
		}
		_, err = awaitFile(ctx, w, s.store.path(s.rec.Name, branchFile), nil)
		if errors.Is(err, ErrContainerGone) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
