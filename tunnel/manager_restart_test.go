package tunnel_test

import (
	"errors"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestManagerSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.serve("0.0.0.0:3000")
		w.want("3000→3000 forwarded #1")
		w.serve()
		w.want("3000→3000 closed #1")
		start := time.Now()
		held := w.connect("127.0.0.1:3000")
		defer held.Close()
		time.Sleep(time.Second)
		w.serve("127.0.0.1:3000")
		if got := w.reached(held); got != "127.0.0.1:3000" || time.Since(start) > time.Second {
			t.Errorf("the held connection reached %q after %v", got, time.Since(start))
		}
		w.want("3000→3000 forwarded #1")
		time.Sleep(time.Hour)
		w.want("3000→3000 forwarded #1")

		// For good: a connection that is held is reset, and one that is established goes on.
		w.serve()
		late := w.connect("[::1]:3000")
		defer late.Close()
		if got := w.reached(late); got != "reset" {
			t.Errorf("a connection to a port that closed for good: %q", got)
		}
		w.want()
		io.WriteString(held, "still here\n")
		if got := w.reached(held); got != "still here" {
			t.Errorf("the established connection: %q", got)
		}
		w.serve("0.0.0.0:3000")
		w.want("3000→3000 forwarded #2")
	})
}

// The process that takes over is known a moment after its port; until then the settings for the old one apply.
func TestManagerSurvivesARestartThatAPatternForwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings, _ := tunnel.DecodeSettings([]byte(`{"otherPortsAttributes":{"onAutoForward":"ignore"},"portsAttributes":{"server\\.js":{"label":"app"}}}`))
		w := newWorld(t, tunnel.ManagerConfig{Settings: settings})
		w.serve("0.0.0.0:3000", "0.0.0.0:4000")
		w.want("3000→3000 forwarded #1", "4000→4000 forwarded #1")
		w.mu.Lock()
		before := w.listeners["127.0.0.1:3000"]
		w.mu.Unlock()
		w.serve("0.0.0.0:4000")
		w.want("3000→3000 closed #1", "4000→4000 forwarded #1")
		held := w.connect("127.0.0.1:3000")
		defer held.Close()
		w.mu.Lock()
		w.servers["127.0.0.1:3000"] = true
		w.mu.Unlock()
		open := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		for _, command := range []string{"", "", "node server.js"} {
			w.m.Observe(ports.Snapshot{Epoch: "e", Ports: []ports.Port{{Number: 3000, Addresses: open, Command: command}}})
			synctest.Wait()
		}
		if got := w.reached(held); got != "127.0.0.1:3000" {
			t.Errorf("the held connection reached %q", got)
		}
		w.mu.Lock()
		if w.listeners["127.0.0.1:3000"] != before {
			t.Error("the listener was made anew")
		}
		w.mu.Unlock()
		// Another program is judged by its own name.
		w.m.Observe(ports.Snapshot{Epoch: "e", Ports: []ports.Port{{Number: 3000, Addresses: open, Command: "postgres"}}})
		w.want("4000→4000 closed #1")
	})
}

// A container restarts more slowly than a server, and the server in it returns later still.
func TestManagerSurvivesARestartOfTheContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.serve("0.0.0.0:3000")
		w.stop(tunnel.EpochStopped)
		held := w.connect("127.0.0.1:3000")
		defer held.Close()
		time.Sleep(4 * time.Second)
		w.m.SetState(tunnel.State{Phase: tunnel.Connected})
		w.serve() // the agent is back before the server
		w.want("3000→3000 closed #1")
		time.Sleep(4 * time.Second)
		w.serve("0.0.0.0:3000")
		if got := w.reached(held); got != "127.0.0.1:3000" {
			t.Errorf("the held connection reached %q", got)
		}
		w.want("3000→3000 forwarded #1")

		w.stop(tunnel.EpochStopped)
		time.Sleep(11 * time.Second)
		w.want()
	})
}

// The last that a dying container says may be that its servers have ended.
func TestManagerHearsOfServersBeforeTheContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.serve("0.0.0.0:3000")
		w.serve()
		time.Sleep(time.Second)
		w.stop(tunnel.EpochStopped)
		time.Sleep(8 * time.Second)
		w.want("3000→3000 closed #1")
		time.Sleep(time.Second)
		w.want()
	})
}

// A container that was stopped on purpose holds no host port, not even one that is forwarded by hand or by the settings, until it runs again.
func TestManagerReleasesWhatWasStoppedOnPurpose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings, _ := tunnel.DecodeSettings([]byte(`{"forwardPorts":[9000,"db:5432"]}`))
		w := newWorld(t, tunnel.ManagerConfig{Settings: settings})
		w.serve("0.0.0.0:3000", "0.0.0.0:4000")
		if _, err := w.m.Forward(t.Context(), 4000, 4444); err != nil {
			t.Fatal(err)
		}
		w.want("3000→3000 forwarded #1", "4000→4444 forwarded #1", "5432→5432 forwarded #1", "9000→9000 forwarded #0")
		w.serve("0.0.0.0:4000") // and one that is between two servers
		w.stop(tunnel.EpochEnded)
		w.want()
		w.mu.Lock()
		if len(w.listeners) > 0 {
			t.Errorf("bound: %v", w.listeners)
		}
		w.mu.Unlock()
		if _, err := w.m.Forward(t.Context(), 3000, 0); !errors.Is(err, tunnel.ErrEnded) {
			t.Errorf("forward: %v", err)
		}
		w.m.SetState(tunnel.State{Phase: tunnel.Connected})
		w.serve("0.0.0.0:3000", "0.0.0.0:4000")
		w.want("3000→3000 forwarded #2", "4000→4444 forwarded #2", "5432→5432 forwarded #1", "9000→9000 forwarded #0")
	})
}

func TestManagerRefusalBeforeTheNewsOfARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.serve("0.0.0.0:3000")
		w.mu.Lock()
		delete(w.servers, "127.0.0.1:3000")
		w.mu.Unlock()
		start := time.Now()
		c := w.connect("127.0.0.1:3000")
		defer c.Close()
		time.Sleep(100 * time.Millisecond)
		w.serve()
		time.Sleep(time.Second)
		w.serve("0.0.0.0:3000")
		if got := w.reached(c); got != "127.0.0.1:3000" || time.Since(start) > 1100*time.Millisecond {
			t.Errorf("reached %q after %v", got, time.Since(start))
		}
		// And a server that is open but refuses, and that goes on for longer than a restart takes.
		w.mu.Lock()
		delete(w.servers, "127.0.0.1:3000")
		w.mu.Unlock()
		start = time.Now()
		w.expect("127.0.0.1:3000", "reset")
		if d := time.Since(start); d != 1500*time.Millisecond {
			t.Errorf("a refusal took %v", d)
		}
	})
}
