package ports

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// A MonitorConfig says what a Monitor watches and where it publishes.
type MonitorConfig struct {
	Events *Log // required, and used by no other Monitor
	// Sources are the ways to read the socket table, best first; nil means the
	// ones of this platform.
	Sources []OpenSource
	// Ignore names sockets that are never published. It is asked once for each new
	// socket, on the goroutine of Run, and must not block. Sockets of this very process
	// and of processes with SKETCH_IGNORE_PORTS=1 are ignored without it. May be nil.
	Ignore func(Listener) bool
	// ActiveInterval is the time between scans while something is going on (25 ms if
	// zero), IdleInterval while nothing is (250 ms if zero).
	ActiveInterval, IdleInterval time.Duration
	Log                          *slog.Logger // nil discards
}

// A Monitor watches the socket table and publishes its changes.
type Monitor struct {
	cfg    MonitorConfig
	owners owners
	closes func(ctx context.Context, wake func()) error // watches for pushed closes
	busy   atomic.Int64                                 // commands of ours that are alive
	unseen bool                                         // closes are not pushed here, and that has been logged
	wake   chan struct{}                                // holds one: "scan now", further ones are the same
}

// NewMonitor returns a monitor that does nothing before Run.
func NewMonitor(cfg MonitorConfig) *Monitor {
	if cfg.Sources == nil {
		cfg.Sources = platformSources()
	}
	if cfg.Ignore == nil {
		cfg.Ignore = func(Listener) bool { return false }
	}
	if cfg.ActiveInterval <= 0 {
		cfg.ActiveInterval = defaultActive
	}
	if cfg.IdleInterval <= 0 {
		cfg.IdleInterval = defaultIdle
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Monitor{cfg: cfg, owners: platformOwners(), closes: watchCloses, wake: make(chan struct{}, 1)}
}

// Run scans and publishes until ctx ends, and returns nil then. It returns an error
// that wraps ErrNoSource if no source works at the start. It must be called once.
//
// When nobody has read the log for some time, it rests: nothing wakes it, neither a timer
// nor the kernel, until somebody reads again and gets the state of a new scan, with what
// changed meanwhile as events.
func (m *Monitor) Run(ctx context.Context) error {
	s := newScanner(m)
	defer s.close()
	rows, err := s.read(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case s.source == nil:
		return fmt.Errorf("read socket table: %w", err)
	}
	m.awake(ctx, s, rows, err)
	for m.cfg.Events.awaitReader(ctx) {
		s.scanned = time.Now()
		rows, err := s.read(ctx)
		m.awake(ctx, s, rows, err)
	}
	return nil
}

// awake keeps the state, starting with what a scan came to, until ctx ends or nobody reads.
func (m *Monitor) awake(ctx context.Context, s *scanner, rows []Listener, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	// Both end with ctx, when this function returns, which waits for them.
	wg.Go(func() { m.watch(ctx) })
	wg.Go(func() { s.nameSockets(ctx) })
	s.lookAgain()
	s.run(ctx, rows, err)
}

// watch turns pushed closes into scans. Without them a close is found by the next scan
// that is due.
func (m *Monitor) watch(ctx context.Context) {
	if err := m.closes(ctx, m.scanNow); err != nil && !m.unseen {
		m.unseen = true
		m.cfg.Log.Info("closes of ports are not pushed here", "err", err)
	}
}

// Busy marks that a command of ours is alive, until the returned function is called
// (further calls do nothing). While any is, the monitor scans at its active interval.
// Safe for concurrent use, before and during Run.
func (m *Monitor) Busy() (done func()) {
	if m.busy.Add(1) == 1 {
		m.scanNow()
	}
	return sync.OnceFunc(func() { m.busy.Add(-1) })
}

// Commands counts those of [Monitor.Busy] that are alive. Safe for concurrent use.
func (m *Monitor) Commands() int { return int(m.busy.Load()) }

// scanNow asks for a scan that starts after this call. It never blocks.
func (m *Monitor) scanNow() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}
