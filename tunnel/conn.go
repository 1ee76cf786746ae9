package tunnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// ConnConfig configures a Conn. Dial, Signer and HostKey are required.
type ConnConfig struct {
	// Dial opens the byte transport under SSH: TCP, or the standard streams of an exec. It returns soon after the end of ctx. While
	// one call hangs another may be made.
	Dial func(ctx context.Context) (net.Conn, error)

	User    string
	Signer  ssh.Signer    // our key, which the agent has pinned
	HostKey ssh.PublicKey // the agent's key, which we have pinned

	// Serve holds the channels that the container may open, by type. A handler owns rw until it returns; ctx ends with
	// the connection. Channels of any other type are rejected, and so are more than 16 at a time.
	Serve map[string]func(ctx context.Context, extra []byte, rw io.ReadWriteCloser)
	// Willing says whether a channel of a type in Serve is served now. Where it is not, the container asks another connection, if it has
	// one. It must not block; nil: always.
	Willing func(channelType string) bool

	// Changed is called on each transition, from one goroutine, in order. It must not block. The end of Run's context
	// is not a transition.
	Changed func(State)

	// Log takes the details that State has no place for. Nil discards them.
	Log *slog.Logger

	KeepaliveInterval time.Duration // of silence before a peer is probed; 0 means 2 s
	KeepaliveTimeout  time.Duration // of silence after the probe, then the transport is closed hard; 0 means 3 s
	DialTimeout       time.Duration // for the transport and the handshake together; 0 means 10 s
	BackoffMin        time.Duration // before the second attempt, doubled each time; 0 means 50 ms
	BackoffMax        time.Duration // between later attempts; 0 means 1 s
	LostAfter         time.Duration // outage after which the phase is Lost; 0 means 60 s
	LostInterval      time.Duration // between attempts while Lost, unless they time out; 0 means 15 s
}

func (cfg ConnConfig) withDefaults() ConnConfig {
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.KeepaliveInterval = cmp.Or(cfg.KeepaliveInterval, 2*time.Second)
	cfg.KeepaliveTimeout = cmp.Or(cfg.KeepaliveTimeout, 3*time.Second)
	cfg.DialTimeout = cmp.Or(cfg.DialTimeout, 10*time.Second)
	cfg.BackoffMin = cmp.Or(cfg.BackoffMin, 50*time.Millisecond)
	cfg.BackoffMax = cmp.Or(cfg.BackoffMax, time.Second)
	cfg.LostAfter = cmp.Or(cfg.LostAfter, time.Minute)
	cfg.LostInterval = cmp.Or(cfg.LostInterval, 15*time.Second)
	if cfg.Changed == nil {
		cfg.Changed = func(State) {}
	}
	return cfg
}

// Conn is the SSH connection of a session. Its methods are safe for concurrent use.
type Conn struct {
	cfg    ConnConfig
	wall   func() time.Time
	kicked chan struct{} // holds one kick, which is as good as many
	gone   chan struct{} // closed by Gone
	served sync.WaitGroup

	mu      sync.Mutex // guards what follows
	state   State
	link    *link         // not nil while state is Connected
	ended   error         // why Run has returned
	changed chan struct{} // closed and replaced when any of the above changes
	goneErr error
	attempt struct { // the running attempt, for Kick
		cancel context.CancelFunc
		since  time.Time
	}
}

// NewConn returns a Conn that does nothing until Run.
func NewConn(cfg ConnConfig) *Conn {
	return &Conn{
		cfg:     cfg.withDefaults(),
		wall:    wallClock,
		kicked:  make(chan struct{}, 1),
		gone:    make(chan struct{}),
		changed: make(chan struct{}),
	}
}

// Run keeps the connection up until ctx ends (and returns ctx's cause) or Gone is called (and returns an error that
// matches ErrGone). It is called once.
func (c *Conn) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	// Both end with ctx and are waited for below.
	wg.Go(func() { watchWake(ctx, time.Second, c.wall, c.Kick) })
	wg.Go(func() {
		select {
		case <-c.gone:
			cancel(c.goneError())
		case <-ctx.Done():
		}
	})
	c.redial(ctx)
	err := context.Cause(ctx)
	c.end(err)
	wg.Wait()
	c.served.Wait()
	return err
}

// redial connects, and connects again, until ctx ends.
func (c *Conn) redial(ctx context.Context) {
	o := newOutage(c.cfg)
	for ctx.Err() == nil {
		o.attempts++
		c.transition(o.state(), nil)
		l, err := c.connect(ctx)
		if err == nil {
			c.transition(State{Phase: Connected}, l)
			select {
			case <-c.kicked: // meant for the outage that is over
			default:
			}
			up := time.Now()
			err = l.run(ctx)
			o.restart(time.Since(up))
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			err = &peerError{err} // the peer may have said why
		}
		o.err = err
		c.cfg.Log.Info("no connection to the container", "attempt", o.attempts, "err", err)
		c.transition(o.state(), nil)
		if c.pause(ctx, o.wait()) {
			o.kick()
		}
	}
}

// connect makes one attempt, which Kick may cancel.
func (c *Conn) connect(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	c.mu.Lock()
	c.attempt.cancel, c.attempt.since = cancel, time.Now()
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.attempt.cancel = nil
		c.mu.Unlock()
	}()
	return c.handshake(ctx)
}

// pause waits for d, or for ever when d is negative. It returns early, and true, on a kick.
func (c *Conn) pause(ctx context.Context, d time.Duration) bool {
	var expired <-chan time.Time
	if d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-expired:
		return false
	case <-c.kicked:
		return true
	case <-ctx.Done():
		return false
	}
}

// transition is the only place that changes the state. It reports what a caller of State could see as different.
func (c *Conn) transition(s State, l *link) {
	c.mu.Lock()
	old := c.state
	s.Since = old.Since
	if s.Phase != old.Phase || old.Since.IsZero() {
		s.Since = time.Now()
	}
	c.state, c.link = s, l
	c.wakeWaiters()
	c.mu.Unlock()
	if s.Phase != old.Phase || s.Attempt != old.Attempt || (s.Err == nil) != (old.Err == nil) {
		c.cfg.Changed(s)
	}
}

// end makes the result of Run the answer to all waiters.
func (c *Conn) end(err error) {
	if errors.Is(err, ErrGone) {
		c.transition(State{Phase: Gone, Err: err}, nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended, c.link = err, nil
	c.wakeWaiters()
}

// wakeWaiters is called with c.mu held.
func (c *Conn) wakeWaiters() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// State returns the current state.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Kick redials now instead of at the end of the backoff, gives up an attempt that has been hanging for more than a
// second, and probes a connection that seems to be up. It never blocks.
func (c *Conn) Kick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.link != nil:
		c.link.probeNow()
		return
	case c.attempt.cancel != nil && time.Since(c.attempt.since) > time.Second:
		c.attempt.cancel()
	}
	select {
	case c.kicked <- struct{}{}:
	default:
	}
}

// Gone says that the container no longer exists: redialling stops, waiters fail with ErrGone and err, and Run returns.
func (c *Conn) Gone(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.goneErr != nil {
		return
	}
	c.goneErr = ErrGone
	if err != nil {
		c.goneErr = fmt.Errorf("%w: %w", ErrGone, err)
	}
	close(c.gone)
}

func (c *Conn) goneError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.goneErr
}
