package tunnel

import (
	"context"
	"io"
	"log/slog"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// ConnConfig configures a Conn. Dial, Signer and HostKey are required.
type ConnConfig struct {
	// Dial opens the byte transport under SSH: TCP, or the standard streams of an exec.
	Dial func(ctx context.Context) (net.Conn, error)

	User    string
	Signer  ssh.Signer    // our key, which the agent has pinned
	HostKey ssh.PublicKey // the agent's key, which we have pinned

	// Serve holds the channels that the container may open, by type. A handler owns rw until it returns; ctx ends with
	// the connection. Channels of any other type are rejected.
	Serve map[string]func(ctx context.Context, extra []byte, rw io.ReadWriteCloser)

	// Changed is called on each transition, from one goroutine, in order. It must not block.
	Changed func(State)

	// Log takes the details that State has no place for. Nil discards them.
	Log *slog.Logger

	KeepaliveInterval time.Duration // between probes of an idle peer; 0 means 2 s
	KeepaliveTimeout  time.Duration // for the answer, then the transport is closed hard; 0 means 2 s
	DialTimeout       time.Duration // for the transport and the handshake together; 0 means 10 s
	BackoffMin        time.Duration // before the second attempt; 0 means 50 ms
	BackoffMax        time.Duration // between later attempts; 0 means 2 s
	LostAfter         time.Duration // outage after which the phase is Lost; 0 means 60 s
	LostInterval      time.Duration // between attempts when Lost; 0 means 15 s
}

// Conn is the one SSH connection of a session. Its methods are safe for concurrent use.
type Conn struct {
	cfg ConnConfig
}

// NewConn returns a Conn that does nothing until Run.
func NewConn(cfg ConnConfig) *Conn { return &Conn{cfg: cfg} }

// Run keeps the connection up until ctx ends (and returns ctx's error) or Gone is called (and returns an error that
// matches ErrGone). It is called once.
func (c *Conn) Run(ctx context.Context) error { return nil }

// State returns the current state.
func (c *Conn) State() State { return State{} }

// Kick redials now instead of at the end of the backoff, and probes a connection that seems to be up. It never blocks.
func (c *Conn) Kick() {}

// Gone says that the container no longer exists: redialling stops, waiters fail with ErrGone and err, and Run returns.
func (c *Conn) Gone(err error) {}

// DialContext opens a connection inside the container: network "tcp" (also tcp4, tcp6) to host:port, or "unix" to a
// path. While the connection is down it waits for its return as long as ctx allows. The result has CloseWrite and Abort; its deadlines work.
func (c *Conn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return nil, ErrNotConnected
}

// NewSession opens a session channel, on which one command can be run. While the connection is down it waits for its
// return as long as ctx allows; ctx has no part in the session afterwards.
func (c *Conn) NewSession(ctx context.Context) (*ssh.Session, error) { return nil, ErrNotConnected }
