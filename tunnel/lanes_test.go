package tunnel_test

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// another is more than the least time between two attempts at a side connection.
const another = 1100 * time.Millisecond

// transport is the agent's end of one of its transports.
func (a *agent) transport(n int) *memconn.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.conns[n]
}

// besides starts a Conn that has its side connection, with one visitor on each.
func besides(t *testing.T, a *agent, cfg tunnel.ConnConfig) (c *tunnel.Conn, s *states, main, side net.Conn) {
	t.Helper()
	c, s = a.start(cfg)
	main = visit(t, c)
	visit(t, c).Close() // makes it be wanted
	synctest.Wait()
	if n := a.dialed(); n != 2 {
		t.Fatalf("%d connections for two visitors at a time, want 2", n)
	}
	return c, s, main, visit(t, c)
}

// TestSideConnection has visitors whose fellow's bytes fill one of the two connections: here it has stopped altogether.
func TestSideConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s, main, side := besides(t, a, a.patient())
		a.transport(0).Stall(true)
		if answers(t, main) {
			t.Error("the stalled connection answered")
		}
		if !answers(t, side) {
			t.Error("the side connection waits for the main one")
		}
		a.transport(0).Stall(false)
		a.transport(1).Stall(true)
		if !answers(t, visit(t, c)) { // on the main one, since the last was on the other
			t.Error("the main connection waits for the side one")
		}
		a.transport(1).Stall(false)
		a.transport(0).Stall(true)
		if !answers(t, visit(t, c)) { // on the side one, which has fewer
			t.Error("the side connection is not chosen")
		}
		a.transport(0).Stall(false)
		visit(t, c).Close() // on the main one
		a.transport(0).Stall(true)
		if !answers(t, visit(t, c)) {
			t.Error("two in a row are on the same connection, though both have as many")
		}
		synctest.Wait()
		if got := s.phases(true); len(got) != 2 {
			t.Errorf("states %v; a side connection has none to tell", got)
		}
		a.transport(0).Stall(false)
	})
}

// TestNoSideConnection has one visitor at a time, some of whom are refused, and clients of the agent's API, which need none.
func TestNoSideConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, _ := a.start(a.config())
		for range 3 {
			visit(t, c).Close()
			if _, err := c.DialContext(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, tunnel.ErrRefused) {
				t.Fatalf("dial of a closed port: %v", err)
			}
			if _, err := c.DialContext(t.Context(), "unix", "/run/agent.sock"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if n := a.dialed(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
}

// expectAnother has a second side connection that is used, and nobody told of it.
func expectAnother(t *testing.T, a *agent, c *tunnel.Conn, s *states) {
	t.Helper()
	synctest.Wait()
	if n := a.dialed(); n != 3 {
		t.Errorf("%d connections, want another one", n)
	}
	a.transport(0).Stall(true)
	if !answers(t, visit(t, c)) {
		t.Error("the new side connection is not used")
	}
	a.transport(0).Stall(false)
	synctest.Wait()
	if got := s.phases(true); len(got) != 2 {
		t.Errorf("states %v; a side connection has none to tell", got)
	}
}

// TestSideConnectionBreaks: its visitors are reset, nobody else notices, and there is a new one for the next visitors.
func TestSideConnectionBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s, main, side := besides(t, a, a.patient())
		visit(t, c) // on the main one
		a.transport(1).Stall(true)
		opened := make(chan net.Conn, 1)
		go func() {
			conn, err := c.DialContext(t.Context(), "tcp", "127.0.0.1:3000")
			if err == nil {
				opened <- conn
			}
		}()
		synctest.Wait()
		if len(opened) > 0 {
			t.Fatal("the next visitor is not on the side connection")
		}
		a.transport(1).SetLinger(0) // an end would be held back as the bytes are
		a.transport(1).Close()
		expectReset(t, side)
		synctest.Wait()
		select {
		case conn := <-opened:
			defer conn.Close()
		default:
			t.Fatal("who was about to be connected by it is not connected by the other")
		}
		if !answers(t, main) || !answers(t, visit(t, c)) {
			t.Error("the main connection suffers from the end of the side one")
		}
		time.Sleep(another)
		expectAnother(t, a, c, s)
	})
}

// TestSideConnectionFallsSilent: its packets get lost, those of the main one do not. That is noticed as it is of the main one, by the
// keepalive or when the machine wakes, and who chose it meanwhile is connected by the other.
func TestSideConnectionFallsSilent(t *testing.T) {
	for _, tt := range []struct {
		name     string
		interval time.Duration // of the keepalive
		kick     bool
		within   time.Duration
	}{{"keepalive", 2 * time.Second, false, 7 * time.Second}, {"kick", time.Hour, true, 3 * time.Second}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAgent(t)
				cfg := a.config()
				cfg.KeepaliveInterval = tt.interval
				c, s, main, side := besides(t, a, cfg)
				visit(t, c) // on the main one
				start := time.Now()
				a.transport(1).Stall(true)
				if tt.kick {
					c.Kick()
				}
				if !answers(t, visit(t, c)) || !answers(t, main) {
					t.Error("visitors wait for the silent connection")
				}
				if d := time.Since(start); d > tt.within {
					t.Errorf("noticed after %v", d)
				}
				expectReset(t, side)
				visit(t, c)
				time.Sleep(another)
				synctest.Wait()
				if n := a.dialed(); n != 3 {
					t.Errorf("%d connections, want another one", n)
				}
				if got := s.phases(true); len(got) != 2 {
					t.Errorf("states %v; a side connection has none to tell", got)
				}
			})
		})
	}
}

// TestSideConnectionEndsWithTheMain: whatever the peer does with it.
func TestSideConnectionEndsWithTheMain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s, _, side := besides(t, a, a.patient())
		a.transport(1).Stall(true)
		go side.Write(make([]byte, 4<<20)) // which fills its queue
		synctest.Wait()
		start := time.Now()
		a.transport(0).Close()
		expectReset(t, side)
		if !answers(t, visit(t, c)) {
			t.Error("there is no new connection")
		}
		if d := time.Since(start); d > 50*time.Millisecond {
			t.Errorf("recovered after %v", d)
		}
		synctest.Wait()
		if got := s.phases(false); len(got) != 4 {
			t.Errorf("states %v", got)
		}
	})
}

// TestSideConnectionUnused: it stays while it has visitors, now and then or one for long, ends when it has had none for a while, and
// comes back when it is needed.
func TestSideConnectionUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s, main, side := besides(t, a, a.patient())
		time.Sleep(10 * time.Minute)
		if !answers(t, side) {
			t.Fatal("a connection that had a visitor is closed")
		}
		side.Close()
		for range 20 {
			visit(t, c).Close() // on the side one, which has none
			time.Sleep(7 * time.Second)
		}
		if a.connected() != 2 {
			t.Fatal("a connection that has visitors now and then is closed")
		}
		time.Sleep(2 * time.Minute)
		if a.connected() != 1 {
			t.Error("a connection without a visitor stays open")
		}
		if !answers(t, main) {
			t.Error("the main connection suffers from the end of the side one")
		}
		visit(t, c) // makes it be wanted
		expectAnother(t, a, c, s)
	})
}

// TestSideConnectionCannotBeHad: then everything goes over the main one, and it is asked for once a second at most.
func TestSideConnectionCannotBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s := a.start(a.config())
		main := visit(t, c)
		a.set(func(a *agent) {
			a.dial = func(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
		})
		for range 40 {
			if !answers(t, visit(t, c)) {
				t.Fatal("a visitor is not served")
			}
			time.Sleep(250 * time.Millisecond)
		}
		if n := a.dialed(); n < 10 || n > 12 {
			t.Errorf("%d dials in 10 s", n)
		}
		if !answers(t, main) {
			t.Error("the first visitor is not served any more")
		}
		synctest.Wait()
		if len(s.phases(true)) != 2 {
			t.Errorf("states %v", s.phases(true))
		}
	})
}

// TestSideConnectionThatHangs: somebody answers the dial, and then nothing. It is given up as the main one would be, and tried again.
func TestSideConnectionThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s := a.start(a.config())
		visit(t, c)
		a.set(func(a *agent) {
			a.dial = func(context.Context) (net.Conn, error) {
				client, server := memconn.Pair()
				a.set(func(a *agent) { a.conns = append(a.conns, server) })
				return client, nil
			}
		})
		visit(t, c).Close()
		synctest.Wait()
		a.set(func(a *agent) { a.dial = nil })
		time.Sleep(9 * time.Second)
		if !answers(t, visit(t, c)) || a.dialed() != 2 {
			t.Errorf("%d dials while the second one hangs", a.dialed())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		visit(t, c).Close()
		synctest.Wait()
		if n := a.dialed(); n != 3 {
			t.Errorf("%d dials after the second one was given up, want 3", n)
		}
		if got := s.phases(true); len(got) != 2 {
			t.Errorf("states %v", got)
		}
	})
}

// TestSideConnectionServesNothing: what the container may ask for, it gets on the main connection.
func TestSideConnectionServesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		cfg := a.config()
		served := make(chan struct{}, 2)
		cfg.Serve = map[string]func(context.Context, []byte, io.ReadWriteCloser){
			"x@test": func(context.Context, []byte, io.ReadWriteCloser) { served <- struct{}{} },
		}
		c, _ := a.start(cfg)
		visit(t, c)
		visit(t, c)
		synctest.Wait()
		_, _, err := a.servers[1].OpenChannel("x@test", nil)
		if refused, ok := errors.AsType[*ssh.OpenChannelError](err); !ok || refused.Reason != ssh.Prohibited {
			t.Errorf("the side connection answered %v", err)
		}
		ch, requests, err := a.servers[0].OpenChannel("x@test", nil)
		if err != nil {
			t.Fatal(err)
		}
		sshwire.NewStream(ch, requests, a.transport(0)).Close()
		<-served
	})
}
