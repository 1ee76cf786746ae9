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
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
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

// patient is a configuration that leaves it to others to find fault with the peer.
func (a *agent) patient() tunnel.ConnConfig {
	cfg := a.config()
	cfg.KeepaliveInterval, cfg.KeepaliveTimeout = time.Hour, time.Hour
	return cfg
}

// command is what an agent does when a command is asked for.
type command func(ssh.Channel)

// run makes the agent accept one session after the other and hand its command to run.
func (a *agent) run(run command) {
	a.channels = func(nc ssh.NewChannel) bool {
		if nc.ChannelType() != sshwire.ChannelSession {
			return false
		}
		ch, requests, err := nc.Accept()
		if err != nil {
			return true
		}
		asked := make(chan struct{}, 16)
		a.wg.Go(func() {
			for req := range requests {
				req.Reply(true, nil)
				asked <- struct{}{}
			}
		})
		a.wg.Go(func() {
			<-asked
			run(ch)
		})
		return true
	}
}

func exitStatus(status uint32) []byte { return ssh.Marshal(sshwire.ExitStatus{Status: status}) }

func exitSignal(name string) []byte { return ssh.Marshal(sshwire.ExitSignal{Signal: name}) }

// TestExecEndsAsTheContainerSays has an agent that tells how a command ended in every way there is, and goes on at length.
func TestExecEndsAsTheContainerSays(t *testing.T) {
	send := func(name string, payload []byte) command {
		return func(ch ssh.Channel) { ch.SendRequest(name, false, payload) }
	}
	tests := []struct {
		name   string
		send   command
		status int // 0 means success, and -1 another error
		signal string
	}{
		{"success", send("exit-status", exitStatus(0)), 0, ""},
		{"failure", send("exit-status", exitStatus(3)), 3, ""},
		{"a status that there is not", send("exit-status", exitStatus(1<<32-256)), 255, ""},
		{"short status", send("exit-status", []byte{0, 0, 0}), -1, ""},
		{"empty status", send("exit-status", nil), -1, ""},
		{"long status", send("exit-status", make([]byte, 20_000)), -1, ""},
		{"nothing", func(ssh.Channel) {}, -1, ""},
		{"signal", send("exit-signal", exitSignal("KILL")), 137, "KILL"},
		{"signal of escapes", send("exit-signal", exitSignal("\x1b[2JTE\u202eRM\n"+strings.Repeat("9", 10_000))), 128, "2JTERM9999999999"[:16]},
		{"signal without a name", send("exit-signal", exitSignal("\x1b")), 128, "UNKNOWN"},
		{"malformed signal", send("exit-signal", []byte{0xff, 0xff, 0xff, 0xff}), -1, ""},
		{"status twice", func(ch ssh.Channel) {
			ch.SendRequest("exit-status", false, exitStatus(4))
			ch.SendRequest("exit-status", false, exitStatus(0))
		}, 4, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAgent(t)
				a.run(func(ch ssh.Channel) {
					io.WriteString(ch, "out")
					io.WriteString(ch.Stderr(), "problem")
					tt.send(ch)
					for range 200 { // x/crypto/ssh holds 16 that nobody takes, then stops the connection
						ch.SendRequest("exit-status", false, []byte{1})
						ch.SendRequest("x", false, nil)
					}
					ch.Close()
				})
				c, s := a.start(a.config())
				var out, errs strings.Builder
				err := c.Exec(t.Context(), "true", nil, &out, &errs)
				exit, _ := errors.AsType[*tunnel.ExitError](err)
				switch {
				case tt.status == 0 && err != nil, tt.status == -1 && (err == nil || exit != nil),
					tt.status > 0 && (exit == nil || *exit != tunnel.ExitError{Status: tt.status, Signal: tt.signal}):
					t.Errorf("exec: %v (%+v)", err, exit)
				}
				if out.String() != "out" || errs.String() != "problem" {
					t.Errorf("output %q, %q", &out, &errs)
				}
				echo(t, t.Context(), c)
				synctest.Wait()
				if p := s.phases(false); !slices.Equal(p, []string{"connecting", "connected"}) {
					t.Errorf("phases %v", p)
				}
			})
		})
	}
}

func TestExecIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		a.channels = func(nc ssh.NewChannel) bool {
			ch, requests, err := nc.Accept()
			if err == nil {
				a.wg.Go(func() { ssh.DiscardRequests(requests) })
				a.wg.Go(func() { io.Copy(io.Discard, ch) })
			}
			return true
		}
		c, _ := a.start(a.config())
		if err := c.Exec(t.Context(), "true", nil, nil, nil); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("exec: %v", err)
		}
		a.set(func(a *agent) {
			a.channels = func(nc ssh.NewChannel) bool { nc.Reject(ssh.Prohibited, "no\x1b[2J\u202e"); return true }
		})
		if err := c.Exec(t.Context(), "true", nil, nil, nil); err == nil || strings.ContainsAny(err.Error(), "\x1b\u202e") {
			t.Errorf("exec: %q", err)
		}
	})
}

// TestExecDoesNotWaitForStdin has a command that ends while nobody writes to its standard input.
func TestExecDoesNotWaitForStdin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		a.run(func(ch ssh.Channel) {
			ch.SendRequest("exit-status", false, exitStatus(0))
			ch.Close()
		})
		c, _ := a.start(a.config())
		stdin, w := io.Pipe()
		defer w.Close()
		if err := c.Exec(t.Context(), "true", stdin, nil, nil); err != nil {
			t.Errorf("exec: %v", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestExecTellsOfLocalFailures has a command that writes without end unless its channel is closed.
func TestExecTellsOfLocalFailures(t *testing.T) {
	full := errors.New("disk full")
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		a.run(func(ch ssh.Channel) {
			for {
				if _, err := ch.Write(make([]byte, 32<<10)); err != nil {
					break
				}
			}
			ch.Close()
		})
		c, _ := a.start(a.config())
		if err := c.Exec(t.Context(), "yes", nil, failing{full}, nil); !errors.Is(err, full) {
			t.Errorf("exec whose output cannot be written: %v", err)
		}
		a.set(func(a *agent) {
			a.run(func(ch ssh.Channel) {
				io.Copy(io.Discard, ch)
				ch.SendRequest("exit-status", false, exitStatus(0))
				ch.Close()
			})
		})
		if err := c.Exec(t.Context(), "cat", failing{full}, nil, nil); !errors.Is(err, full) {
			t.Errorf("exec whose input cannot be read: %v", err)
		}
		echo(t, t.Context(), c)
	})
}

func TestExecEndsWithItsContext(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := newAgent(t)
			deafen := a.deafen()
			a.run(func(ch ssh.Channel) {
				io.Copy(io.Discard, ch) // until the channel is closed
				for range 100 {
					ch.SendRequest("exit-status", false, []byte{0})
				}
			})
			c, s := a.start(a.patient())
			ctx, cancel := context.WithCancelCause(t.Context())
			stdin, w := io.Pipe()
			defer w.Close()
			ended := make(chan error)
			go func() { ended <- c.Exec(ctx, "cat", stdin, nil, nil) }()
			synctest.Wait()
			if deaf {
				deafen()
			}
			enough, start := errors.New("enough"), time.Now()
			cancel(enough)
			if err := <-ended; !errors.Is(err, enough) {
				t.Errorf("deaf %v: exec: %v", deaf, err)
			}
			want := time.Duration(0)
			if deaf {
				want = 10 * time.Second
			}
			if d := time.Since(start); d != want {
				t.Errorf("deaf %v: exec took %v, want %v", deaf, d, want)
			}
			echo(t, t.Context(), c)
			synctest.Wait()
			if p := s.phases(false); slices.Contains(p, "reconnecting") != deaf {
				t.Errorf("deaf %v: phases %v", deaf, p)
			}
		})
	}
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
