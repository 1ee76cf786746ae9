package ports

import (
	"context"
	"log/slog"
	"time"
)

// A MonitorConfig says what a Monitor watches and where it publishes.
type MonitorConfig struct {
	Events *Log // required
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
type Monitor struct{ cfg MonitorConfig }

// NewMonitor returns a monitor that does nothing before Run.
func NewMonitor(cfg MonitorConfig) *Monitor {
	return &Monitor{cfg: cfg}
}

// Run scans and publishes until ctx ends, and returns nil then. It returns an error
// that wraps ErrNoSource if no source works at the start. It must be called once.
func (m *Monitor) Run(ctx context.Context) error {
	panic("unwritten")
}

// Busy marks that a command of ours is alive, until the returned function is called
// (further calls do nothing). While any is, the monitor scans at its active interval.
// Safe for concurrent use, before and during Run.
func (m *Monitor) Busy() (done func()) {
	panic("unwritten")
}
