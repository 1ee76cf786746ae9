package tunnel

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// gateMode is what a forward's new connections do.
type gateMode int

const (
	gateHold gateMode = iota // wait
	gateOpen                 // dial
	gateShut                 // are reset
)

// gateState is what the owner knows about where connections go.
type gateState struct {
	mode      gateMode
	routes    []string // to dial in turn
	listening bool     // the port is known to be open
}

// gate is where the owner tells connections what to do, without waiting for any of them.
type gate struct {
	mu      sync.Mutex // guards what follows
	state   gateState
	changed chan struct{} // closed and replaced by set
	held    int           // connections in await
}

// maxHeld bounds the connections of one forward that wait; more are reset.
const maxHeld = 256

var (
	errShut     = errors.New("not forwarded at the moment")
	errHeldFull = errors.New("too many connections wait")
)

func newGate() *gate { return &gate{changed: make(chan struct{})} }

func (g *gate) set(s gateState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.mode == g.state.mode && s.listening == g.state.listening && slices.Equal(s.routes, g.state.routes) {
		return
	}
	g.state = s
	close(g.changed)
	g.changed = make(chan struct{})
}

// pass waits until a connection may dial. The channel is closed at the next change.
func (g *gate) pass(ctx context.Context) (gateState, <-chan struct{}, error) {
	for {
		g.mu.Lock()
		s, changed := g.state, g.changed
		g.mu.Unlock()
		switch s.mode {
		case gateOpen:
			return s, changed, nil
		case gateShut:
			return s, nil, errShut
		case gateHold:
		}
		if err := g.hold(ctx, changed); err != nil {
			return s, nil, err
		}
	}
}

// hold waits for a change as one of the connections that are counted.
func (g *gate) hold(ctx context.Context, changed <-chan struct{}) error {
	g.mu.Lock()
	full := g.held >= maxHeld
	if !full {
		g.held++
	}
	g.mu.Unlock()
	if full {
		return errHeldFull
	}
	defer func() {
		g.mu.Lock()
		g.held--
		g.mu.Unlock()
	}()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
