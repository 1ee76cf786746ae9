package session

import (
	"context"
	"reflect"
	"slices"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

// publish tells the observer of each change with the full state, from this one goroutine, so that nothing arrives out of order. It returns when the
// session is over for this process.
func (s *Session) publish(ctx context.Context) {
	var last Info
	var lastBranch Branch
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.quit:
			return
		case <-s.wake:
		}
		info := s.Info()
		if s.observer != nil && !sameSession(last, info) {
			s.observer.SessionChanged(info)
		}
		if branch := s.Branch(); branch.Base != "" && !branch.same(lastBranch) {
			lastBranch = branch
			if s.observer != nil {
				s.observer.BranchChanged(s.rec.Name, branch)
			}
		}
		told := !slices.EqualFunc(last.Forwards, info.Forwards, sameForward) || last.Owner != info.Owner
		if told && s.observer != nil {
			s.observer.PortsChanged(info)
		}
		if m := s.currentManager(); m != nil && (told || last.State != info.State) {
			s.save(toSave{Shared{Forwards: info.Forwards, State: info.State, Err: info.Err}, m.Memory()})
		}
		if last = info; info.State == Gone {
			return
		}
	}
}

// toSave is what the owner writes for others and for later.
type toSave struct {
	shared Shared
	memory tunnel.Memory
}

// save hands the state to the goroutine that writes it; only the publisher calls it. What has not been written when there is something newer is dropped.
func (s *Session) save(state toSave) {
	select {
	case <-s.saves:
	default:
	}
	s.saves <- state
}

// keepSaved writes the owner's state until the publisher has ended, and then its last one. A file system can take half a second to replace a file, for which
// the publisher has no time.
func (s *Session) keepSaved(ctx context.Context) {
	write := func(state toSave) {
		s.report("forwards file", s.store.saveForwards(s.rec.Name, state.shared, state.memory))
	}
	for {
		select {
		case state := <-s.saves:
			write(state)
		case <-ctx.Done():
			select {
			case state := <-s.saves:
				write(state)
			default:
			}
			return
		}
	}
}

func sameSession(a, b Info) bool {
	a.Forwards, b.Forwards = nil, nil
	return reflect.DeepEqual(a, b) //nolint:govet // of two errors that say the same, one may have more to it, such as logs
}

func sameForward(a, b tunnel.Forward) bool {
	return reflect.DeepEqual(a, b) //nolint:govet // as above
}

// Info returns the session's state now.
func (s *Session) Info() Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	info := Info{
		Name: s.rec.Name, Folder: s.rec.Folder, Owner: s.owner, Owned: true, Attached: true,
		Container: s.rec.Container, Image: s.rec.Image, Workspace: s.rec.Workspace, User: s.rec.User, Created: s.rec.Created,
		Branch: s.branchLocked().Name, Commit: s.inside.commit, SSHConfig: s.store.path(s.rec.Name, sshConfigFile),
		Remote:   s.remote,
		Forwards: slices.Clone(s.forwards),
	}
	info.State, info.Err = s.stateLocked()
	if info.State == Reconnecting || info.State == Lost {
		info.Attempt = s.pipe.Attempt
	}
	if info.State == Gone {
		info.Forwards = nil
	}
	return info
}

// stateLocked derives the session's state from the container's and the connection's; it is the only place that does.
func (s *Session) stateLocked() (State, error) {
	switch {
	case s.gone:
		return Gone, ErrContainerGone
	case s.stopped != nil:
		return Stopped, s.stopped
	}
	switch s.pipe.Phase {
	case tunnel.Gone:
		return Gone, s.pipe.Err
	case tunnel.Lost:
		return Lost, s.pipe.Err
	case tunnel.Reconnecting:
		if !s.inside.ready {
			return Starting, s.pipe.Err
		}
		return Reconnecting, s.pipe.Err
	case tunnel.Connected:
		if s.inside.ready {
			return Connected, nil
		}
	case tunnel.Connecting:
	}
	return Starting, nil
}

// awaitPipe waits for the connection and for the first election, and fails when the container ends before.
func (s *Session) awaitPipe(ctx context.Context) error {
	for {
		s.mu.Lock()
		state, err := s.stateLocked()
		up, changed := s.pipe.Phase == tunnel.Connected && s.elected, s.changed
		s.mu.Unlock()
		switch {
		case state == Stopped || state == Gone || state == Lost:
			return err
		case up:
			return nil
		}
		select {
		case <-changed:
		case <-s.ended:
			return ErrNotAttached
		case <-ctx.Done():
			return joinContext(ctx)
		}
	}
}
