package tunnel_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// TestConnReconnects is the failure table of a connection that is up.
func TestConnReconnects(t *testing.T) {
	tests := []struct {
		name   string
		fail   func(*memconn.Conn)
		within time.Duration
	}{
		{"end", func(c *memconn.Conn) { c.Close() }, 0},
		{"reset", func(c *memconn.Conn) { c.SetLinger(0); c.Close() }, 0},
		{"half-close", func(c *memconn.Conn) { c.CloseWrite() }, 0},
		{"garbage", func(c *memconn.Conn) { c.Write(make([]byte, 4096)) }, 0},
		{"silence", func(c *memconn.Conn) { c.Stall(true) }, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAgent(t)
				c, s := a.start(a.config())
				echo(t, t.Context(), c)
				cut := visit(t, c)
				time.Sleep(time.Minute)
				start := time.Now()
				tt.fail(a.conn())
				// Where a peer that talks nonsense ends is anybody's guess.
				if err := ending(t, cut); !errors.Is(err, syscall.ECONNRESET) && tt.name != "garbage" {
					t.Errorf("the open connection read %v, want a reset", err)
				}
				if d := time.Since(start); d > tt.within {
					t.Errorf("noticed after %v", d)
				}
				echo(t, t.Context(), c)
				if d := time.Since(start); d > tt.within { // the loss of one that was steady is redialled at once
					t.Errorf("recovered after %v", d)
				}
				synctest.Wait()
				want := []string{"connecting 1", "connected", "reconnecting 1", "connected"}
				if diff := cmp.Diff(want, s.phases(true)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestConnIsLostAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, s := a.start(a.config())
		echo(t, t.Context(), c)
		a.set(func(a *agent) {
			a.dial = func(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
		})
		a.conn().Close()
		time.Sleep(10 * time.Minute)
		if got := c.State(); got.Phase != tunnel.Lost || !errors.Is(got.Err, syscall.ECONNREFUSED) {
			t.Fatalf("state %+v", got)
		}
		before := a.dialed()
		time.Sleep(time.Minute)
		if n := a.dialed() - before; n != 4 {
			t.Errorf("%d attempts in a minute while lost, want 4", n)
		}
		a.set(func(a *agent) { a.dial = nil })
		start := time.Now()
		c.Kick()
		echo(t, t.Context(), c)
		if d := time.Since(start); d != 0 {
			t.Errorf("a kick took %v", d)
		}
		synctest.Wait()
		want := []string{"connecting", "connected", "reconnecting", "lost", "reconnecting", "connected"}
		if diff := cmp.Diff(want, s.phases(false)); diff != "" {
			t.Error(diff)
		}
	})
}

func (a *agent) dialed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dials
}

func TestConnKickGivesUpAHangingAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		a.dial = func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		c, _ := a.start(a.config())
		time.Sleep(2500 * time.Millisecond) // between two of the dials that join one that hangs
		a.set(func(a *agent) { a.dial = nil })
		start := time.Now()
		c.Kick()
		echo(t, t.Context(), c)
		if d := time.Since(start); d > 50*time.Millisecond {
			t.Errorf("a kick took %v", d)
		}
	})
}

func TestConnKickProbesAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		cfg := a.config()
		cfg.KeepaliveInterval = time.Hour
		c, s := a.start(cfg)
		echo(t, t.Context(), c)
		synctest.Wait()
		a.conn().Stall(true)
		start := time.Now()
		c.Kick()
		time.Sleep(3 * time.Second)
		echo(t, t.Context(), c)
		if d := time.Since(start); d > 3*time.Second+50*time.Millisecond {
			t.Errorf("recovered after %v", d)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"connecting", "connected", "reconnecting", "connected"}, s.phases(false)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestConnBacksOffFromAPeerThatFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		c, _ := a.start(a.config())
		echo(t, t.Context(), c)
		a.set(func(a *agent) { a.channels = func(ssh.NewChannel) bool { return false } })
		stop := make(chan struct{})
		go func() { // cuts each connection as soon as it is up
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					if c.State().Phase == tunnel.Connected {
						a.conn().Close()
					}
				}
			}
		}()
		before := a.dialed()
		time.Sleep(20 * time.Second)
		close(stop)
		if n := a.dialed() - before; n > 40 {
			t.Errorf("%d connections in 20 s", n)
		}
	})
}
