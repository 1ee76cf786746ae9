package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/agent/gitwatch"
)

// lastLookTimeout bounds the last look into a container: it may not answer, or for ever.
const lastLookTimeout = 20 * time.Second

// bringOutLast brings out what was committed inside and is not on the host yet, because nobody was attached or it was committed a moment ago: with the container
// it would be gone, or wait for a resume. Who ends a session wants it ended whatever becomes of this, so a failure is only logged.
func (s *Supervisor) bringOutLast(ctx context.Context, e Engine, info Info) {
	if info.State != Connected {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastLookTimeout)
	defer cancel()
	look := func(x *Session) error { return (&brancher{Session: x}).lookOnce(ctx) }
	x, err := s.session(info.Name)
	if err == nil {
		err = look(x)
	} else if rec, loadErr := s.cfg.Store.load(info.Name); loadErr == nil {
		err = s.reach(ctx, e, rec, look)
	}
	if err != nil {
		s.cfg.Log.Warn("the latest commits inside were not brought out", "session", info.Name, "error", err)
	}
}

// lookOnce is a brancher's whole life in one step. The owner may be at it too: they are one after the other, and the second finds nothing to do.
func (b *brancher) lookOnce(ctx context.Context) error {
	now, err := b.loadBranch()
	if err != nil || now.Work == "" { // the repository is not inside
		return err
	}
	client := agent.NewClient(b.conn.DialContext)
	defer client.Close()
	b.client = client.HTTP()
	first, heard := context.WithCancel(ctx)
	defer heard()
	err = gitwatch.Follow(first, b.client, agent.BaseURL, now.Work, func(s gitwatch.State) {
		if first.Err() == nil {
			b.state = s
			heard()
		}
	})
	if b.state.Branch == "" {
		return err
	}
	if _, err := b.reconcile(ctx); err != nil {
		return err
	}
	if now, err = b.loadBranch(); err == nil && now.Error != "" {
		err = errors.New(now.Error)
	}
	return err
}

// reach calls f with a session of which only the connection runs: one that this process is not attached to.
func (s *Supervisor) reach(ctx context.Context, e Engine, rec record, f func(*Session) error) error {
	x, err := newSession(sessionConfig{engine: e, store: s.cfg.Store, rec: rec, gateway: s.gateway, log: s.cfg.Log.With("session", rec.Name)})
	if err != nil {
		return fmt.Errorf("reach %s: %w", rec.Name, err)
	}
	x.limit(s.currentSettings().Pull)
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	// Ends with ctx; waited for below.
	running.Go(func() { x.report("connection", x.conn.Run(ctx)) })
	err = f(x)
	cancel()
	running.Wait()
	return err
}
