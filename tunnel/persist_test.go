package tunnel_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

// TestConnNoticesTheEndOfASilence: packets vanish, so that a dial hangs for good, whenever they pass again; nobody tells.
func TestConnNoticesTheEndOfASilence(t *testing.T) {
	for _, tt := range []struct {
		name   string
		outage time.Duration
		phase  tunnel.Phase
	}{
		{"short", 3500 * time.Millisecond, tunnel.Reconnecting},
		{"longer than an attempt", 13700 * time.Millisecond, tunnel.Reconnecting},
		{"lost", time.Hour, tunnel.Lost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAgent(t)
				c, _ := a.start(a.config())
				echo(t, t.Context(), c)
				a.set(func(a *agent) {
					a.dial = func(ctx context.Context) (net.Conn, error) {
						<-ctx.Done()
						return nil, ctx.Err()
					}
				})
				a.conn().Close()
				<-time.After(tt.outage)
				if got := c.State(); got.Phase != tt.phase {
					t.Errorf("state %+v", got)
				}
				a.set(func(a *agent) { a.dial = nil })
				back := time.Now()
				echo(t, t.Context(), c)
				if d := time.Since(back); d > 2*time.Second {
					t.Errorf("connected %v after packets passed again", d)
				}
			})
		})
	}
}

// TestConnWaitsForASlowDial: a peer that takes longer than the next dial is not given up.
func TestConnWaitsForASlowDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgent(t)
		config := a.config()
		dial := config.Dial
		config.Dial = func(ctx context.Context) (net.Conn, error) {
			select {
			case <-time.After(4 * time.Second):
				return dial(ctx)
			case <-ctx.Done():
				return nil, errors.New("given up")
			}
		}
		begun := time.Now()
		c, _ := a.start(config)
		echo(t, t.Context(), c)
		if d := time.Since(begun); d != 4*time.Second {
			t.Errorf("connected after %v", d)
		}
	})
}
