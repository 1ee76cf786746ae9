package tunnel_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestManagerBoundsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{MaxConns: 2})
		w.serve("0.0.0.0:3000")
		a, b := w.connect("127.0.0.1:3000"), w.connect("[::1]:3000")
		defer b.Close()
		w.reached(a)
		w.reached(b)
		w.expect("127.0.0.1:3000", "reset")
		a.Close()
		synctest.Wait()
		w.expect("127.0.0.1:3000", "127.0.0.1:3000")
	})
}

// TestManagerOfAContainerFullOfPorts has more open ports than anybody can look at.
func TestManagerOfAContainerFullOfPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		s := ports.Snapshot{Epoch: "e"}
		for n := range 8000 {
			s.Ports = append(s.Ports, ports.Port{Number: uint16(2000 + n), Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
		}
		w.m.Observe(s)
		synctest.Wait()
		all := w.m.Forwards()
		if len(all) != tunnel.DefaultMaxForwards+512 {
			t.Fatalf("%d rows", len(all))
		}
		for i, f := range all {
			want := ""
			switch {
			case i == len(all)-1:
				want = "limit of 64 forwards reached; 7424 more ports are open"
			case i >= tunnel.DefaultMaxForwards:
				want = "limit of 64 forwards reached"
			}
			if f.Reason != want {
				t.Fatalf("row %d: %+v, want reason %q", i, f, want)
			}
		}
		// A port without a row can be forwarded, and the row of one that is forwarded stays.
		if f, err := w.m.Forward(t.Context(), 9500, 0); err != nil || f.Status != tunnel.Forwarded {
			t.Errorf("forward: %+v, %v", f, err)
		}
	})
}

// TestManagerIsNotChurned has a container that opens and closes ports as fast as it can.
func TestManagerIsNotChurned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		count := func() int {
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.published)
		}
		turn := func(n int) {
			w.m.Observe(ports.Snapshot{Epoch: "e", Ports: []ports.Port{{Number: 3000, PID: n}}})
			synctest.Wait()
		}
		for n := range 19 { // a burst is not delayed
			turn(n)
			if count() != n+1 {
				t.Fatalf("%d changes published at the %dth", count(), n+1)
			}
		}
		for n := range 10_000 {
			turn(100 + n)
			time.Sleep(time.Millisecond) // the bubble's time
		}
		if n := count(); n > 20+10*20+1 {
			t.Errorf("%d changes published in 10 s", n)
		}
		// What the user does is not delayed meanwhile, and the last snapshot counts.
		if f, err := w.m.Forward(t.Context(), 4000, 0); err != nil || f.Status != tunnel.Forwarded {
			t.Errorf("forward: %+v, %v", f, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if f := w.m.Forwards(); f[0].PID != 10_099 {
			t.Errorf("last state %+v", f[0])
		}
		before := count()
		turn(1)
		if count() != before+1 {
			t.Error("the first change after a rest was delayed")
		}
	})
}

// TestManagerAbandonsWhatDoesNotEnd has a connection into the container whose Read outlives its Close, as that of a link
// which was abandoned.
func TestManagerAbandonsWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		host := memconn.Listen()
		m := tunnel.NewManager(tunnel.ManagerConfig{
			Dial: func(context.Context, string, string) (net.Conn, error) {
				near, _ := memconn.Pair()
				return &stuckConn{near, release}, nil
			},
			Listen: func(network, address string) (net.Listener, error) {
				if network == "tcp6" {
					return nil, syscall.EADDRNOTAVAIL
				}
				return &hostListener{host, &net.TCPAddr{Port: 3000}, func() {}}, nil
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- m.Run(ctx) }()
		m.Observe(ports.Snapshot{Ports: []ports.Port{{Number: 3000}}})
		synctest.Wait()
		if _, err := host.Dial(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if d := time.Since(start); d != 20*time.Second {
			t.Errorf("Run ended after %v", d)
		}
	})
}

type stuckConn struct {
	*memconn.Conn
	release <-chan struct{}
}

func (c *stuckConn) Read([]byte) (int, error) {
	<-c.release
	return 0, io.EOF
}
