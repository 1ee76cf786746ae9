package tunnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/ports"
)

// Epochs of the snapshot, without ports, of a container that does not run.
const (
	// EpochStopped: it has ended, and may be restarting.
	EpochStopped = "stopped"
	// EpochEnded: it was stopped on purpose. Nothing is forwarded until it runs again.
	EpochEnded = "ended"
)

// ManagerConfig configures a Manager. Dial is required.
type ManagerConfig struct {
	// Dial connects to an address as seen from inside the container; Conn.DialContext. What it returns has CloseWrite.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Settings Settings

	// Memory is that of the session's last Manager. It is read by NewManager only.
	Memory Memory

	// Listen binds the host's side; nil means net.Listen. It must not block.
	Listen func(network, address string) (net.Listener, error)

	// Changed is called from one goroutine with all forwards, sorted by Port, after the first snapshot and each change, once the listeners
	// accept. It must not block, and must not call the Manager's Forward and Unforward.
	Changed func([]Forward)

	Linger time.Duration // how long a closed port's listener is kept for a restart; 0 means 1.5 s
	// StoppedLinger is Linger for ports that closed because the whole container ended: it may be restarting, which takes longer. 0 means 10 s.
	StoppedLinger time.Duration
	HoldLimit     time.Duration // how long a connection waits for its port or for the pipe; 0 means 10 s
	MaxConns      int           // connections per forward; 0 means 16384. More are reset.

	Log *slog.Logger // nil discards
}

func (cfg ManagerConfig) withDefaults() ManagerConfig {
	cfg.Linger = cmp.Or(cfg.Linger, 1500*time.Millisecond)
	cfg.StoppedLinger = cmp.Or(cfg.StoppedLinger, 10*time.Second)
	cfg.HoldLimit = cmp.Or(cfg.HoldLimit, 10*time.Second)
	cfg.MaxConns = cmp.Or(cfg.MaxConns, 1<<14)
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	if cfg.Listen == nil {
		cfg.Listen = listenPlain
	}
	if cfg.Changed == nil {
		cfg.Changed = func([]Forward) {}
	}
	return cfg
}

var (
	// ErrStopped is returned by the calls that need a running Manager once Run has ended.
	ErrStopped = errors.New("forwarding has stopped")
	// ErrNotForwarded is matched by Unforward's error for a port that there is nothing to stop about.
	ErrNotForwarded = errors.New("port is not forwarded")
)

// Manager keeps the forwards of a session. Its methods are safe for concurrent use.
type Manager struct {
	cfg      ManagerConfig
	wake     chan struct{} // holds one wish to look at the inputs
	observed chan struct{} // holds one wish to look at the snapshot
	requests chan request
	stopped  chan struct{} // closed when Run ends
	owner    *reconciler   // belongs to Run's goroutine

	mu       sync.Mutex // guards what follows, never held across I/O or a callback
	inputs   inputs
	forwards []Forward // as last published; never modified
	memory   Memory    // as of then; never modified
	answered bool      // a snapshot was taken into account and told
}

// inputs are what the world looks like. The owner takes a copy; the values inside are not modified.
type inputs struct {
	snapshot ports.Snapshot
	settings Settings
	pipe     Phase
}

// over is why nothing can be forwarded at all; nil while something can.
func (in inputs) over() error {
	switch {
	case in.pipe == Gone:
		return ErrGone
	case in.snapshot.Epoch == EpochEnded:
		return ErrEnded
	}
	return nil
}

// request is one call of Forward or Unforward on its way to the owner, who answers done.
type request struct {
	do   func(*reconciler) error
	port uint16
	done chan<- response // has room for the one answer
}

type response struct {
	forward Forward
	err     error
}

// NewManager returns a Manager that does nothing until Run.
func NewManager(cfg ManagerConfig) *Manager {
	cfg = cfg.withDefaults()
	return &Manager{
		cfg:      cfg,
		wake:     make(chan struct{}, 1),
		observed: make(chan struct{}, 1),
		requests: make(chan request),
		stopped:  make(chan struct{}),
		owner:    newReconciler(cfg),
		inputs:   inputs{settings: cfg.Settings, pipe: Connected},
		memory:   cfg.Memory.clone(),
	}
}

// Run keeps the forwards until ctx ends, then closes every listener and connection and returns ctx's cause. It is called
// once.
func (m *Manager) Run(ctx context.Context) error {
	defer close(m.stopped)
	m.owner.ctx = ctx
	timer := time.NewTimer(0)
	defer timer.Stop()
	observed, pace := m.observed, pace{}
	var resume <-chan time.Time // while observed is nil
	for {
		select {
		case <-ctx.Done():
			m.owner.close()
			return context.Cause(ctx)
		case <-observed:
			m.reconcile(timer)
			if wait := pace.next(time.Now()); wait > 0 {
				observed, resume = nil, time.After(wait)
			}
		case <-resume:
			observed, resume = m.observed, nil
		case <-m.wake:
			m.reconcile(timer)
		case <-timer.C:
			m.reconcile(timer)
		case r := <-m.requests:
			err := r.do(m.owner)
			m.reconcile(timer)
			f, _ := m.forward(r.port)
			r.done <- response{f, cmp.Or(err, f.Err)}
		}
	}
}

// reconcile makes the forwards what they should be, sets the timer to when that changes by itself, and publishes.
func (m *Manager) reconcile(timer *time.Timer) {
	m.mu.Lock()
	in := m.inputs
	m.mu.Unlock()
	forwards, again := m.owner.reconcile(in, time.Now())
	timer.Reset(again)
	m.mu.Lock()
	// The first snapshot is answered even if nothing is forwarded: who shows what an earlier Manager had waits for it.
	changed := !m.answered && in.snapshot.Epoch != "" || !slices.EqualFunc(forwards, m.forwards, Forward.equal)
	m.answered = m.answered || in.snapshot.Epoch != ""
	if changed {
		m.forwards, m.memory = forwards, m.owner.memory.clone()
	}
	m.mu.Unlock()
	if changed {
		m.cfg.Changed(slices.Clone(forwards))
	}
}

// set changes the inputs and wakes the owner.
func (m *Manager) set(wake chan<- struct{}, change func(*inputs)) {
	m.mu.Lock()
	change(&m.inputs)
	m.mu.Unlock()
	select {
	case wake <- struct{}{}:
	default: // it has not looked since the last wish
	}
}

// Observe tells which ports are open. It never blocks; only the last snapshot counts. A container that opens and closes
// ports for ever has them looked at 20 times a second.
func (m *Manager) Observe(s ports.Snapshot) { m.set(m.observed, func(in *inputs) { in.snapshot = s }) }

// Configure replaces the settings. It never blocks; only the last settings count.
func (m *Manager) Configure(s Settings) { m.set(m.wake, func(in *inputs) { in.settings = s }) }

// SetState tells the state of the pipe. It never blocks; only the last state counts. Before the first call the pipe is
// taken to be up. While it is down the listeners stay: connections wait, or are reset at once when it is Lost. When it
// is Gone there are no forwards.
func (m *Manager) SetState(s State) { m.set(m.wake, func(in *inputs) { in.pipe = s.Phase }) }

// Forward forwards port, whatever the settings say and whether or not it is open, to hostPort, or when that is 0 to the
// port that Manager would choose. With a hostPort it fails where that is taken, and leaves a forward that exists as it
// was; otherwise it moves it. The request outlives port events and changes of settings, until Unforward.
func (m *Manager) Forward(ctx context.Context, port, hostPort uint16) (Forward, error) {
	if port == 0 {
		return Forward{}, errors.New("forward port 0: want 1 to 65535")
	}
	f, err := m.ask(ctx, port, func(r *reconciler) error { return r.forward(port, hostPort) })
	if err != nil {
		return f, fmt.Errorf("forward port %d: %w", port, err)
	}
	return f, nil
}

// Unforward stops the forward of port and remembers that, whatever the settings say, until Forward.
func (m *Manager) Unforward(ctx context.Context, port uint16) error {
	_, err := m.ask(ctx, port, func(r *reconciler) error { return r.unforward(port) })
	if err != nil {
		return fmt.Errorf("stop forwarding port %d: %w", port, err)
	}
	return nil
}

// ask has the owner do something about port and returns the forward that results.
func (m *Manager) ask(ctx context.Context, port uint16, do func(*reconciler) error) (Forward, error) {
	done := make(chan response, 1)
	select {
	case m.requests <- request{do: do, port: port, done: done}:
		r := <-done // the owner does not block
		return r.forward, r.err
	case <-ctx.Done():
		return Forward{}, ctx.Err()
	case <-m.stopped:
		return Forward{}, ErrStopped
	}
}

// Forwards returns all forwards, sorted by Port.
func (m *Manager) Forwards() []Forward {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.forwards)
}

func (m *Manager) forward(port uint16) (Forward, bool) {
	for _, f := range m.Forwards() {
		if f.Port == port {
			return f, true
		}
	}
	return Forward{}, false
}

// Memory returns what the session's next Manager is to know.
func (m *Manager) Memory() Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.memory
}
