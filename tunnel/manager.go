package tunnel

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/sketch-ide/sketch-ide/ports"
)

// ManagerConfig configures a Manager. Dial is required.
type ManagerConfig struct {
	// Dial connects to an address as seen from inside the container; Conn.DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Settings Settings

	// Remembered maps container ports to the host ports that an earlier run of the session used for them; they are tried
	// first. It is read by NewManager only.
	Remembered map[uint16]uint16

	// Listen binds the host's side; nil means net.Listen. It must not block.
	Listen func(network, address string) (net.Listener, error)

	// Changed is called from one goroutine with all forwards, sorted by Port, after each change, once the listeners
	// accept. It must not block, and must not call the Manager's Forward and Unforward.
	Changed func([]Forward)

	Linger    time.Duration // how long a closed port's listener is kept for a restart; 0 means 1.5 s
	HoldLimit time.Duration // how long a connection waits for its port or for the pipe; 0 means 10 s
	MaxConns  int           // connections per forward; 0 means 16384. More are reset.

	Log *slog.Logger // nil discards
}

// ErrStopped is returned by the calls that need a running Manager once Run has ended.
var ErrStopped = errors.New("forwarding has stopped")

// Manager keeps the forwards of a session. Its methods are safe for concurrent use.
type Manager struct {
	cfg ManagerConfig
}

// NewManager returns a Manager that does nothing until Run.
func NewManager(cfg ManagerConfig) *Manager { return &Manager{cfg: cfg} }

// Run keeps the forwards until ctx ends, then closes every listener and connection and returns ctx's error. It is called
// once.
func (m *Manager) Run(ctx context.Context) error { return nil }

// Observe tells which ports are open. It never blocks; only the last snapshot counts.
func (m *Manager) Observe(s ports.Snapshot) {}

// Configure replaces the settings. It never blocks; only the last settings count.
func (m *Manager) Configure(s Settings) {}

// SetState tells the state of the pipe. It never blocks; only the last state counts. Before the first call the pipe is taken to be up.
func (m *Manager) SetState(s State) {}

// Forward forwards port, whatever the settings say and whether or not it is open, to hostPort, or when that is 0 to the
// port that Manager would choose. With a hostPort of its own it fails where that is taken, and it moves a forward that exists. The
// request outlives port events and changes of settings, until Unforward.
func (m *Manager) Forward(ctx context.Context, port, hostPort uint16) (Forward, error) {
	return Forward{}, ErrStopped
}

// Unforward stops the forward of port and remembers that, whatever the settings say, until Forward.
func (m *Manager) Unforward(ctx context.Context, port uint16) error { return ErrStopped }

// Forwards returns all forwards, sorted by Port.
func (m *Manager) Forwards() []Forward { return nil }
