package session

import (
	"context"
	"sync"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/ports"
)

// followPorts keeps the view of the container's ports while the settings want any forwarded by themselves. Otherwise nobody asks the container, which
// then does not look either.
func (s *Session) followPorts(ctx context.Context) {
	for ctx.Err() == nil {
		on, changed := s.automatic()
		if on {
			s.followWhileOn(ctx)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// automatic says what the settings want, until changed is closed.
func (s *Session) automatic() (on bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings.Over(s.repository).Automatic(), s.changed
}

// followWhileOn outlives broken connections. When it is off there are no ports to know of.
func (s *Session) followWhileOn(parent context.Context) {
	ctx, cancel := context.WithCancel(parent)
	var off sync.WaitGroup
	// Ends with ctx, and is waited for below.
	off.Go(func() {
		defer cancel()
		for on, changed := s.automatic(); on; on, changed = s.automatic() {
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	client := agent.NewClient(s.conn.DialContext)
	err := ports.Follow(ctx, ports.FollowConfig{Client: client.HTTP(), BaseURL: client.BaseURL(), Log: s.log}, func(u ports.Update) {
		s.observe(u.Snapshot)
	})
	cancel()
	off.Wait()
	if parent.Err() == nil {
		s.observe(ports.Snapshot{Epoch: "off"})
	}
	s.report("ports", err)
}
