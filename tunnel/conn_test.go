package tunnel_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// echo proves that the pipe works.
func echo(t testing.TB, ctx context.Context, c *tunnel.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	conn, err := c.DialContext(ctx, "tcp", "127.0.0.1:3000")
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	want := bytes.Repeat([]byte("sketch"), 10_000)
	go func() {
		conn.Write(want)
		conn.(interface{ CloseWrite() error }).CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("echo: %d bytes, %v; want %d", len(got), err, len(want))
	}
}

func TestConnConnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s := a.start(a.config())
		echo(t, t.Context(), c)
		unix, err := c.DialContext(t.Context(), "unix", "/run/agent.sock")
		if err != nil {
			t.Fatal(err)
		}
		unix.Close()
		synctest.Wait()
		if got := c.State(); got.Phase != tunnel.Connected || got.Attempt != 0 || got.Err != nil {
			t.Errorf("state %+v", got)
		}
		if diff := cmp.Diff([]string{"connecting 1", "connected"}, s.phases(true)); diff != "" {
			t.Error(diff)
		}
		_, err = c.DialContext(t.Context(), "tcp", "127.0.0.1:1")
		if !errors.Is(err, tunnel.ErrRefused) {
			t.Errorf("dial of a closed port: %v", err)
		}
		for _, bad := range [][2]string{{"udp", "127.0.0.1:1"}, {"tcp", "nowhere"}, {"tcp", "a:99999"}} {
			if _, err := c.DialContext(t.Context(), bad[0], bad[1]); err == nil {
				t.Errorf("dial %v succeeded", bad)
			}
		}
	})
}

// TestConnSurvives is the failure table of the hop to the container.
func TestConnSurvives(t *testing.T) {
	var peers *sync.WaitGroup // of the test that runs
	hang := func(ctx context.Context) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	// answer is a peer that behaves as f says.
	answer := func(f func(c *memconn.Conn)) func(context.Context) (net.Conn, error) {
		return func(context.Context) (net.Conn, error) {
			client, server := memconn.Pair()
			peers.Go(func() { f(server) })
			return client, nil
		}
	}
	tests := []struct {
		name string
		dial func(context.Context) (net.Conn, error)
		wait time.Duration // until the state has the error
	}{
		{"refuse", func(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED }, 0},
		{"hang in dial", hang, 10 * time.Second},
		{"hang in handshake", answer(func(c *memconn.Conn) {}), 10 * time.Second},
		{"reset", answer(func(c *memconn.Conn) { c.SetLinger(0); c.Close() }), 0},
		{"slow", answer(func(c *memconn.Conn) {
			for range 100 {
				time.Sleep(time.Second) // the bubble's time
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
			}
		}), 10 * time.Second},
		{"garbage", answer(func(c *memconn.Conn) {
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"+string(make([]byte, 4096)))
			io.Copy(io.Discard, c)
		}), 10 * time.Second},
		{"garbage after the version", answer(func(c *memconn.Conn) {
			io.WriteString(c, "SSH-2.0-x\r\n"+string(bytes.Repeat([]byte{0xff}, 4096)))
			io.Copy(io.Discard, c)
		}), 0},
		{"half-close", answer(func(c *memconn.Conn) { c.CloseWrite(); io.Copy(io.Discard, c) }), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peers = new(sync.WaitGroup)
				t.Cleanup(peers.Wait)
				a := newAgent(t)
				a.dial = tt.dial
				c, s := a.start(a.config())
				time.Sleep(tt.wait)
				synctest.Wait()
				if got := c.State(); got.Phase != tunnel.Connecting || got.Err == nil {
					t.Errorf("state %+v, want connecting with an error", got)
				}
				if told := s.last(); told.Err == nil {
					t.Errorf("told %+v, without the error", told)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start := time.Now()
				if _, err := c.DialContext(ctx, "tcp", "127.0.0.1:3000"); !errors.Is(err, tunnel.ErrNotConnected) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("dial: %v", err)
				}
				if d := time.Since(start); d != time.Second {
					t.Errorf("dial took %v", d)
				}
				a.set(func(a *agent) { a.dial = nil })
				echo(t, t.Context(), c)
				if d := time.Since(start); d > 13*time.Second {
					t.Errorf("recovered after %v", d)
				}
				synctest.Wait()
				if p := s.phases(false); !slices.Equal(p, []string{"connecting", "connected"}) {
					t.Errorf("phases %v", p)
				}
			})
		})
	}
}

func TestConnWrongHostKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		cfg := a.config()
		cfg.HostKey = newSigner(t).PublicKey()
		c, _ := a.start(cfg)
		if _, err := c.DialContext(t.Context(), "tcp", "127.0.0.1:3000"); !errors.Is(err, tunnel.ErrHostKey) {
			t.Errorf("dial: %v", err)
		}
		time.Sleep(time.Hour)
		if got := c.State(); got.Phase != tunnel.Lost || !errors.Is(got.Err, tunnel.ErrHostKey) {
			t.Errorf("state %+v", got)
		}
		if n := a.dialed(); n != 1 {
			t.Errorf("dialled %d times", n)
		}
		c.Kick()
		synctest.Wait()
		if n := a.dialed(); n != 2 {
			t.Errorf("dialled %d times after a kick", n)
		}
	})
}

func TestConnGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		a.dial = func(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
		c := tunnel.NewConn(a.config())
		ended := make(chan error)
		go func() { ended <- c.Run(t.Context()) }()
		waited := make(chan error)
		go func() {
			waited <- c.Exec(context.Background(), "true", nil, nil, nil)
		}()
		time.Sleep(time.Minute)
		removed := errors.New("container removed")
		c.Gone(removed)
		c.Gone(errors.New("again"))
		for _, ch := range []chan error{ended, waited} {
			if err := <-ch; !errors.Is(err, tunnel.ErrGone) || !errors.Is(err, removed) {
				t.Errorf("error %v", err)
			}
		}
		if got := c.State(); got.Phase != tunnel.Gone || !errors.Is(got.Err, removed) {
			t.Errorf("state %+v", got)
		}
	})
}

func TestConnRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c := tunnel.NewConn(a.config())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		echo(t, ctx, c)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if _, err := c.DialContext(context.Background(), "tcp", "127.0.0.1:3000"); !errors.Is(err, context.Canceled) {
			t.Errorf("dial: %v", err)
		}
		a.wg.Wait()
	})
}

func TestConnServesOnlyNamedChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		cfg := a.config()
		cfg.Serve = map[string]func(context.Context, []byte, io.ReadWriteCloser){
			sshwire.ChannelGit: func(_ context.Context, extra []byte, rw io.ReadWriteCloser) {
				rw.Write(append([]byte("version "), extra...))
			},
			"wait": func(ctx context.Context, _ []byte, _ io.ReadWriteCloser) { <-ctx.Done() },
		}
		c, _ := a.start(cfg)
		echo(t, t.Context(), c)
		server := a.servers[0]
		ch, reqs, err := server.OpenChannel(sshwire.ChannelGit, []byte("2"))
		if err != nil {
			t.Fatal(err)
		}
		go ssh.DiscardRequests(reqs)
		if got, err := io.ReadAll(ch); string(got) != "version 2" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		ch.Close()
		for _, kind := range []string{"direct-tcpip", "session", "forwarded-tcpip", "x"} {
			_, _, err := server.OpenChannel(kind, nil)
			if e, ok := errors.AsType[*ssh.OpenChannelError](err); !ok || e.Reason != ssh.UnknownChannelType {
				t.Errorf("open %s: %v", kind, err)
			}
		}
		var refused error
		for range 20 {
			_, reqs, err := server.OpenChannel("wait", nil)
			if err != nil {
				refused = err
				break
			}
			go ssh.DiscardRequests(reqs)
		}
		if e, ok := errors.AsType[*ssh.OpenChannelError](refused); !ok || e.Reason != ssh.ResourceShortage {
			t.Errorf("the 17th channel: %v", refused)
		}
		if ok, _, err := server.SendRequest("tcpip-forward", true, nil); ok || err != nil {
			t.Errorf("global request: %v, %v", ok, err)
		}
	})
}

func TestConnOpenDoesNotWaitForASilentPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		held := make(chan ssh.NewChannel, 1)
		a.channels = func(nc ssh.NewChannel) bool { held <- nc; return true }
		c, _ := a.start(a.config())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.DialContext(ctx, "tcp", "127.0.0.1:3000"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v", err)
		}
		// A late answer is not left open.
		ch, reqs, err := (<-held).Accept()
		if err != nil {
			t.Fatal(err)
		}
		go ssh.DiscardRequests(reqs)
		if _, err := ch.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("late channel read %v, want its end", err)
		}
		ch.Close()
	})
}

func TestConnEndsAPeerThatNeverConfirmsAClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		a.channels = func(nc ssh.NewChannel) bool {
			ch, reqs, err := nc.Accept()
			if err != nil {
				return true
			}
			go ssh.DiscardRequests(reqs)
			go io.Copy(io.Discard, ch)
			return true
		}
		c, s := a.start(a.config())
		conn, err := c.DialContext(t.Context(), "tcp", "127.0.0.1:3000")
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error, 1)
		go func() { _, err := conn.Read(make([]byte, 1)); read <- err }()
		synctest.Wait()
		a.conn().Stall(true) // x/crypto/ssh confirms by itself
		conn.Close()
		<-read
		time.Sleep(time.Minute)
		if p := s.phases(false); !slices.Contains(p, "reconnecting") {
			t.Errorf("phases %v", p)
		}
	})
}
