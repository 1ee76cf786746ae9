package session

import (
	"context"
	"errors"
	"slices"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

// own is the session's election: it waits for the owner's lock while following what the owner forwards, and once it has the lock it keeps
// the forwards and the branch itself until ctx ends.
func (s *Session) own(ctx context.Context) error {
	lock, err := s.elect(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	branch := make(chan error, 1)
	// Ends with ctx, which the end of the forwards cancels too; waited for below.
	go func() { branch <- s.keepBranch(ctx) }()
	err = s.keepForwards(ctx)
	cancel()
	return errors.Join(err, <-branch, lock.Unlock())
}

// elect returns when this process is the owner.
func (s *Session) elect(ctx context.Context) (*fileLock, error) {
	path := s.store.ownerLock(s.rec.Name)
	if lock, err := tryLock(path); lock != nil || err != nil {
		return lock, err
	}
	s.update(func() { s.elected = true })
	ctx, cancel := context.WithCancel(ctx)
	followed := make(chan error, 1)
	// Ends with ctx when the lock is there; waited for below.
	go func() {
		followed <- s.store.follow(ctx, s.rec.Name, nil, func(shared *Shared) { s.update(func() { s.forwards = shared.Forwards }) })
	}()
	lock, err := waitLock(ctx, path)
	cancel()
	if ferr := <-followed; ferr != nil && !errors.Is(ferr, context.Canceled) {
		s.log.Warn("follow owner", "error", ferr)
	}
	return lock, err
}

// keepForwards is the owner's work. The host ports of the last owner are asked for again, so that URLs stay true across windows.
func (s *Session) keepForwards(ctx context.Context) error {
	_, memory, err := s.store.loadForwards(s.rec.Name)
	if err != nil {
		s.log.Warn("read forwards", "error", err) // host ports are then chosen anew
	}
	s.readRepository() // before the first port, so that none is treated by the wrong rules for an instant
	m := tunnel.NewManager(tunnel.ManagerConfig{
		Dial: s.conn.DialContext, Memory: memory, Log: s.log,
		Changed: func(f []tunnel.Forward) { s.update(func() { s.forwards = f }) },
	})
	s.update(func() { s.owner, s.elected, s.manager, s.forwards = true, true, m, interrupted(s.forwards) })
	poke(s.agent.push) // the agent uses this process's models from now on
	s.brief(m)
	err = m.Run(ctx)
	s.update(func() { s.owner, s.manager, s.forwards = false, nil, nil })
	return err
}

// interrupted are the last owner's forwards until ours accept: for that moment nobody listens, as when a server restarts.
func interrupted(forwards []tunnel.Forward) []tunnel.Forward {
	forwards = slices.Clone(forwards)
	for n := range forwards {
		if forwards[n].Status == tunnel.Forwarded {
			forwards[n].Status = tunnel.Closed
		}
	}
	return forwards
}

// brief gives a new manager what came before it. What comes meanwhile is given by whoever learns of it, and may be overtaken here by
// something older: then everything is given again.
func (s *Session) brief(m *tunnel.Manager) {
	for {
		s.mu.Lock()
		latest, seen, pipe, settings, inputs := s.latest, s.seen, s.pipe, s.portSettingsLocked(), s.inputs
		s.mu.Unlock()
		m.Configure(settings)
		m.SetState(pipe)
		if seen {
			m.Observe(latest)
		}
		s.mu.Lock()
		done := s.inputs == inputs
		s.mu.Unlock()
		if done {
			return
		}
	}
}
