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

// visit opens a connection to a port, which echoes.
func visit(t *testing.T, c *tunnel.Conn) net.Conn {
	t.Helper()
	conn, err := c.DialContext(t.Context(), "tcp", "127.0.0.1:3000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// answers reports whether a byte comes back within a minute of the bubble's time.
func answers(t *testing.T, conn net.Conn) bool {
	t.Helper()
	echoed := make(chan error, 1)
	go func() {
		_, err := conn.Write([]byte("x"))
		if err == nil {
			_, err = io.ReadFull(conn, make([]byte, 1))
		}
		echoed <- err
	}()
	select {
	case err := <-echoed:
		return err == nil
	case <-time.After(time.Minute):
		return false
	}
}

// transport is the agent's end of one of its transports.
func (a *agent) transport(n int) *memconn.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.conns[n]
}

// besides starts a Conn that has its side connection, with one visitor on each.
func besides(t *testing.T, a *agent) (c *tunnel.Conn, s *states, main, side net.Conn) {
	t.Helper()
	c, s = a.start(a.patient())
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
		c, s, main, side := besides(t, a)
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

// TestNoSideConnection has one visitor at a time, and clients of the agent's API, which need none.
func TestNoSideConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, _ := a.start(a.config())
		for range 3 {
			visit(t, c).Close()
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

// TestSideConnectionBreaks: its visitors are reset, nobody else notices, and there is a new one for the next visitors.
func TestSideConnectionBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s, main, side := besides(t, a)
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
		a.transport(1).Close()
		if _, err := side.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("its visitor read %v, want a reset", err)
		}
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
		time.Sleep(time.Second)
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
	})
}

// TestSideConnectionEndsWithTheMain: whatever the peer does with it.
func TestSideConnectionEndsWithTheMain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s, _, side := besides(t, a)
		a.transport(1).Stall(true)
		go side.Write(make([]byte, 4<<20)) // which fills its queue
		synctest.Wait()
		start := time.Now()
		a.transport(0).Close()
		if _, err := side.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("its visitor read %v, want a reset", err)
		}
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
		c, s, main, side := besides(t, a)
		time.Sleep(10 * time.Minute)
		if !answers(t, side) {
			t.Fatal("a connection that had a visitor is closed")
		}
		side.Close()
		for range 10 {
			visit(t, c).Close() // on the side one, which has none
			time.Sleep(40 * time.Second)
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
