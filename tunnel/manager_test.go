package tunnel_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestManagerForwardsToWhatListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.serve("0.0.0.0:3000", "[::1]:4000", "[::]:5000", "172.17.0.2:6000", "127.0.0.1:7000", "[::1]:7000", "0.0.0.0:22", "127.0.0.1:40000")
		w.want("22→0 listed #1 (system port)", "3000→3000 forwarded #1", "4000→4000 forwarded #1", "5000→5000 forwarded #1",
			"6000→6000 forwarded #1", "7000→7000 forwarded #1", "40000→0 listed #1 (ephemeral port)")
		for _, host := range []string{"127.0.0.1", "::1"} {
			w.expect(net.JoinHostPort(host, "3000"), "127.0.0.1:3000")
			w.expect(net.JoinHostPort(host, "4000"), "[::1]:4000")
			w.expect(net.JoinHostPort(host, "5000"), "[::1]:5000")
			w.expect(net.JoinHostPort(host, "6000"), "172.17.0.2:6000")
			w.expect(net.JoinHostPort(host, "7000"), "127.0.0.1:7000")
		}
		// A container without ::1.
		w.mu.Lock()
		delete(w.servers, "[::1]:5000")
		w.servers["127.0.0.1:5000"] = true
		w.mu.Unlock()
		w.expect("127.0.0.1:5000", "127.0.0.1:5000")
		if f := w.m.Forwards()[1]; f.URL() != "http://localhost:3000" || f.Process != "node" || f.Action != tunnel.Notify {
			t.Errorf("forward %+v", f)
		}
	})
}

// A target on another host is dialled there, even where the container has its number too.
func TestManagerForwardsToOtherHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings, _ := tunnel.DecodeSettings([]byte(`{"forwardPorts":["db:5432"]}`))
		w := newWorld(t, tunnel.ManagerConfig{Settings: settings})
		w.serve("0.0.0.0:5432")
		w.mu.Lock()
		w.servers["db:5432"] = true
		w.mu.Unlock()
		w.want("5432→5432 forwarded #1")
		w.expect("127.0.0.1:5432", "db:5432")
		w.expect("[::1]:5432", "db:5432")
	})
}

// Some servers end at the first connection; what nobody visits is not dialled.
func TestManagerDialsForVisitorsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.serve("0.0.0.0:3000", "[::1]:4000")
		w.serve("0.0.0.0:3000")
		time.Sleep(time.Hour)
		w.serve("0.0.0.0:3000", "[::1]:4000")
		if _, err := w.m.Forward(t.Context(), 3000, 3333); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.dialled) > 0 {
			t.Errorf("dialled %v", w.dialled)
		}
	})
}

func TestManagerByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		ctx := t.Context()
		w.serve("0.0.0.0:3000", "0.0.0.0:22")

		// A listed port, and one that is not open.
		for _, port := range []uint16{22, 9000} {
			if f, err := w.m.Forward(ctx, port, 0); err != nil || f.HostPort != port || f.Status != tunnel.Forwarded {
				t.Errorf("forward %d: %+v, %v", port, f, err)
			}
		}
		w.want("22→22 forwarded #1", "3000→3000 forwarded #1", "9000→9000 forwarded #0")
		w.expect("127.0.0.1:9000", "reset")

		// Moved, and not moved where that fails.
		if f, err := w.m.Forward(ctx, 3000, 3333); err != nil || f.HostPort != 3333 {
			t.Errorf("move: %+v, %v", f, err)
		}
		w.take(syscall.EADDRINUSE, "127.0.0.1:4444")
		w.mu.Lock()
		before := w.listeners["127.0.0.1:3333"]
		w.mu.Unlock()
		if _, err := w.m.Forward(ctx, 3000, 4444); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("move to a taken port: %v", err)
		}
		w.mu.Lock()
		if w.listeners["127.0.0.1:3333"] != before {
			t.Error("a move that failed gave up what was there")
		}
		w.mu.Unlock()
		w.want("22→22 forwarded #1", "3000→3333 forwarded #1", "9000→9000 forwarded #0")
		w.expect("[::1]:3333", "127.0.0.1:3000")

		// Stopped, whatever the ports do.
		if err := w.m.Unforward(ctx, 3000); err != nil {
			t.Error(err)
		}
		w.want("22→22 forwarded #1", "3000→0 stopped #1", "9000→9000 forwarded #0")
		w.serve()
		w.want("22→22 forwarded #1", "9000→9000 forwarded #0")
		time.Sleep(time.Minute)
		w.serve("0.0.0.0:3000")
		w.want("22→22 forwarded #1", "3000→0 stopped #2", "9000→9000 forwarded #0")
		if err := w.m.Unforward(ctx, 22); err != nil {
			t.Error(err)
		}
		w.serve("0.0.0.0:3000", "0.0.0.0:22")
		w.want("22→0 stopped #2", "3000→0 stopped #2", "9000→9000 forwarded #0")
		if _, err := w.m.Forward(ctx, 22, 0); err != nil {
			t.Error(err)
		}
		if err := w.m.Unforward(ctx, 1234); !errors.Is(err, tunnel.ErrNotForwarded) {
			t.Errorf("stop nothing: %v", err)
		}
		if _, err := w.m.Forward(ctx, 0, 0); err == nil {
			t.Error("forwarded port 0")
		}
		if _, err := w.m.Forward(ctx, 3000, 0); err != nil {
			t.Error(err)
		}
		w.want("22→22 forwarded #2", "3000→3333 forwarded #2 (as before)", "9000→9000 forwarded #0")
	})
}

func TestManagerPipeStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{HoldLimit: 10 * time.Second})
		w.serve("0.0.0.0:3000")
		established := w.connect("127.0.0.1:3000")
		defer established.Close()
		w.reached(established)

		w.m.SetState(tunnel.State{Phase: tunnel.Reconnecting})
		synctest.Wait()
		w.want("3000→3000 forwarded #1")
		held := w.connect("127.0.0.1:3000")
		defer held.Close()
		time.Sleep(3 * time.Second)
		w.m.SetState(tunnel.State{Phase: tunnel.Connected})
		if got := w.reached(held); got != "127.0.0.1:3000" {
			t.Errorf("held: %q", got)
		}

		w.m.SetState(tunnel.State{Phase: tunnel.Reconnecting})
		synctest.Wait()
		start := time.Now()
		w.expect("127.0.0.1:3000", "reset")
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("held for %v", d)
		}
		// Only so many wait.
		start = time.Now()
		var atOnce atomic.Int32
		var wg sync.WaitGroup
		for range 300 {
			c := w.connect("127.0.0.1:3000")
			wg.Go(func() {
				defer c.Close()
				if w.reached(c) == "reset" && time.Since(start) == 0 {
					atOnce.Add(1)
				}
			})
		}
		wg.Wait()
		if n := atOnce.Load(); n != 300-256 {
			t.Errorf("%d of 300 were reset at once", n)
		}

		w.m.SetState(tunnel.State{Phase: tunnel.Lost})
		synctest.Wait()
		start = time.Now()
		w.expect("127.0.0.1:3000", "reset")
		if d := time.Since(start); d != 0 {
			t.Errorf("lost: reset after %v", d)
		}
		w.m.SetState(tunnel.State{Phase: tunnel.Gone})
		w.want()
		if _, err := w.m.Forward(t.Context(), 3000, 0); !errors.Is(err, tunnel.ErrGone) {
			t.Errorf("forward when gone: %v", err)
		}
	})
}

func TestManagerAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := tunnel.NewManager(tunnel.ManagerConfig{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m.Run(ctx)
		if _, err := m.Forward(t.Context(), 3000, 0); !errors.Is(err, tunnel.ErrStopped) {
			t.Errorf("forward: %v", err)
		}
		m.Observe(ports.Snapshot{})
		m.Observe(ports.Snapshot{})
	})
}
