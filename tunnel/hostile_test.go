package tunnel_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// deafConn is an agent's transport that can stop to listen and go on to speak.
type deafConn struct {
	*memconn.Conn
	deaf atomic.Bool
	over chan struct{} // closed with the connection
	once sync.Once
}

func (c *deafConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil && c.deaf.Load() {
		<-c.over
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *deafConn) Close() error {
	c.once.Do(func() { close(c.over) })
	return c.Conn.Close()
}

// deafen makes the agent's transports deafConns, and returns what makes the current one deaf.
func (a *agent) deafen() func() {
	var last atomic.Pointer[deafConn]
	a.dial = func(context.Context) (net.Conn, error) {
		client, server := memconn.Pair()
		d := &deafConn{Conn: server, over: make(chan struct{})}
		last.Store(d)
		a.set(func(a *agent) { a.conns = append(a.conns, server) })
		a.wg.Go(func() { a.serve(d) })
		// What has hung up does not listen any more.
		return &hookedConn{Conn: client, closed: func() { d.once.Do(func() { close(d.over) }) }}, nil
	}
	return func() { last.Load().deaf.Store(true) }
}

// hookedConn is our end of a transport, with a look at Read and Close.
type hookedConn struct {
	net.Conn
	closed func()
	stuck  <-chan struct{} // when not nil, Read returns after this at the earliest
	jam    *atomic.Bool    // for stuck to count
}

func (c *hookedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.stuck != nil && c.jam.Load() {
		<-c.stuck
	}
	return n, err
}

func (c *hookedConn) Close() error {
	if c.closed != nil {
		c.closed()
	}
	return c.Conn.Close()
}

// TestConnAbandonsWhatDoesNotEnd has a transport whose Read outlives its Close, which is what a connection looks like that
// x/crypto/ssh has been made to hang in.
func TestConnAbandonsWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		release := make(chan struct{})
		defer close(release)
		jams := make(chan *atomic.Bool, 8) // of the transports, in order
		a.dial = func(context.Context) (net.Conn, error) {
			client, server := memconn.Pair()
			a.set(func(a *agent) { a.conns = append(a.conns, server) })
			a.wg.Go(func() { a.serve(server) })
			jam := new(atomic.Bool)
			jams <- jam
			return &hookedConn{Conn: client, stuck: release, jam: jam}, nil
		}
		a.run(func(ssh.Channel) {}) // runs for ever
		cfg := a.config()
		cfg.Serve = map[string]func(context.Context, []byte, io.ReadWriteCloser){
			"read": func(_ context.Context, _ []byte, rw io.ReadWriteCloser) { io.Copy(io.Discard, rw) },
		}
		s := &states{}
		cfg.Changed = s.add
		c := tunnel.NewConn(cfg)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		echo(t, t.Context(), c)
		_, reqs, err := a.servers[0].OpenChannel("read", nil)
		if err != nil {
			t.Fatal(err)
		}
		go ssh.DiscardRequests(reqs)
		executed := make(chan error)
		go func() { executed <- c.Exec(t.Context(), "sleep infinity", nil, nil, nil) }()
		synctest.Wait()
		start := time.Now()
		(<-jams).Store(true)
		if err := <-executed; err == nil {
			t.Error("a command on a connection that was abandoned succeeded")
		}
		echo(t, t.Context(), c)
		if d := time.Since(start); d > 12*time.Second {
			t.Errorf("recovered after %v", d)
		}
		(<-jams).Store(true)
		start = time.Now()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("Run ended after %v", d)
		}
		for _, c := range a.conns {
			c.Close()
		}
		a.wg.Wait()
	})
}

// TestConnHoldsTheSlotOfAChannelUntilItsEnd has an agent that opens channel after channel and confirms no close.
func TestConnHoldsTheSlotOfAChannelUntilItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		deafen := a.deafen()
		cfg := a.patient()
		var handled atomic.Int64
		cfg.Serve = map[string]func(context.Context, []byte, io.ReadWriteCloser){
			"quick": func(context.Context, []byte, io.ReadWriteCloser) { handled.Add(1) },
		}
		c, s := a.start(cfg)
		echo(t, t.Context(), c)
		deafen()
		for range 100 {
			a.wg.Go(func() { a.servers[0].OpenChannel("quick", nil) }) // ends with the connection
		}
		synctest.Wait()
		if n := handled.Load(); n != 16 {
			t.Errorf("%d channels were handled, want 16", n)
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if p := s.phases(false); !slices.Equal(p, []string{"connecting", "connected", "reconnecting", "connected"}) {
			t.Errorf("phases %v", p)
		}
	})
}

// TestConnEndsAPeerThatKeepsLateChannels has an agent that answers when nobody wants the channel any more, and then does not
// confirm its close.
func TestConnEndsAPeerThatKeepsLateChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		deafen := a.deafen()
		held := make(chan ssh.NewChannel, 1)
		c, s := a.start(a.patient())
		echo(t, t.Context(), c)
		a.set(func(a *agent) { a.channels = func(nc ssh.NewChannel) bool { held <- nc; return true } })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.DialContext(ctx, "tcp", "127.0.0.1:3000"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v", err)
		}
		deafen()
		_, reqs, err := (<-held).Accept()
		if err != nil {
			t.Fatal(err)
		}
		a.wg.Go(func() { ssh.DiscardRequests(reqs) })
		a.set(func(a *agent) { a.channels = nil })
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if p := s.phases(false); !slices.Equal(p, []string{"connecting", "connected", "reconnecting", "connected"}) {
			t.Errorf("phases %v", p)
		}
	})
}

// TestConnLogsRefusedChannelsOnce has an agent that would write the host's log.
func TestConnLogsRefusedChannelsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		cfg := a.config()
		var log lockedBuilder
		cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c, _ := a.start(cfg)
		echo(t, t.Context(), c)
		for range 200 {
			a.servers[0].OpenChannel("\x1b[2J\u202e\u0085evil "+strings.Repeat("x", 30_000), nil)
		}
		a.conn().Close()
		synctest.Wait()
		text := log.String()
		if n := strings.Count(text, "level=WARN"); n != 1 || !strings.Contains(text, "evil") || !strings.Contains(text, "count=200") {
			t.Errorf("%d warnings in\n%.2000s", n, text)
		}
		if len(text) > 2000 || strings.ContainsAny(text, "\x1b\u202e\u0085") || strings.Contains(text, `\x1b`) {
			t.Errorf("%d bytes of log: %.2000q", len(text), text)
		}
	})
}

type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuilder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuilder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestConnShowsNoMoreOfAPeersTextThanIsFit has an agent whose refusal and whose last word are meant for a terminal.
func TestConnShowsNoMoreOfAPeersTextThanIsFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		evil := "\x1b]0;owned\a\u202e\nroot# " + strings.Repeat("é", 10_000)
		a.channels = func(nc ssh.NewChannel) bool { nc.Reject(ssh.ConnectionFailed, evil); return true }
		c, _ := a.start(a.config())
		_, err := c.DialContext(t.Context(), "tcp", "127.0.0.1:3000")
		if !errors.Is(err, tunnel.ErrRefused) || len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\x1b\a\u202e\n") {
			t.Errorf("dial: %d bytes, %.1000q", len(err.Error()), err)
		}
	})
}
