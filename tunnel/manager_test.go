package tunnel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// world is a host whose loopback is in memory and a container that echoes, for a Manager in a bubble.
type world struct {
	t *testing.T
	m *tunnel.Manager

	mu        sync.Mutex
	listeners map[string]*hostListener // by address
	taken     map[string]error         // addresses that cannot be bound
	servers   map[string]bool          // addresses inside that accept
	dialled   []string
	published [][]tunnel.Forward
	wg        sync.WaitGroup
}

type hostListener struct {
	*memconn.Listener
	addr  *net.TCPAddr
	close func()
}

func (l *hostListener) Addr() net.Addr { return l.addr }

func (l *hostListener) Close() error {
	l.close()
	return l.Listener.Close()
}

// newWorld starts a Manager in a world. It must be called in a bubble.
func newWorld(t *testing.T, cfg tunnel.ManagerConfig) *world {
	w := &world{t: t, listeners: map[string]*hostListener{}, taken: map[string]error{}, servers: map[string]bool{}}
	cfg.Listen, cfg.Dial, cfg.Changed = w.listen, w.dial, w.changed
	w.m = tunnel.NewManager(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		w.wg.Wait()
		if len(w.listeners) > 0 {
			t.Errorf("listeners left: %v", w.listeners)
		}
	})
	return w
}

func (w *world) listen(network, address string) (net.Listener, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	host, port, _ := net.SplitHostPort(address)
	if host != "127.0.0.1" && host != "::1" {
		w.t.Errorf("bound %s", address)
	}
	if err := w.taken[address]; err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	if w.listeners[address] != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: syscall.EADDRINUSE}
	}
	n, _ := strconv.Atoi(port)
	l := &hostListener{Listener: memconn.Listen(), addr: &net.TCPAddr{IP: net.ParseIP(host), Port: n}}
	l.close = func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.listeners[address] == l {
			delete(w.listeners, address)
		}
	}
	w.listeners[address] = l
	return l, nil
}

// dial is the way into the container.
func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dialled = append(w.dialled, address)
	if !w.servers[address] {
		return nil, fmt.Errorf("dial %s: %w", address, tunnel.ErrRefused)
	}
	near, far := memconn.Pair()
	w.wg.Go(func() {
		io.WriteString(far, address+"\n")
		io.Copy(far, far)
		far.Close()
	})
	return near, nil
}

func (w *world) changed(f []tunnel.Forward) {
	for _, f := range f {
		if f.Status == tunnel.Forwarded || f.Status == tunnel.Closed {
			w.mu.Lock()
			if w.listeners[fmt.Sprintf("127.0.0.1:%d", f.HostPort)] == nil {
				w.t.Errorf("announced %+v without a listener", f)
			}
			w.mu.Unlock()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.published = append(w.published, f)
}

// take makes a host port unavailable.
func (w *world) take(err error, addresses ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range addresses {
		w.taken[a] = err
	}
}

// stop ends the container with all that listens in it.
func (w *world) stop(epoch string) {
	w.mu.Lock()
	w.servers = map[string]bool{}
	w.mu.Unlock()
	w.m.SetState(tunnel.State{Phase: tunnel.Reconnecting})
	w.m.Observe(ports.Snapshot{Epoch: epoch})
	synctest.Wait()
}

// serve sets which addresses inside accept, and tells the Manager that their ports are open.
func (w *world) serve(addresses ...string) {
	w.mu.Lock()
	w.servers = map[string]bool{}
	byPort := map[uint16][]netip.Addr{}
	var order []uint16
	for _, a := range addresses {
		ap := netip.MustParseAddrPort(a)
		if byPort[ap.Port()] == nil {
			order = append(order, ap.Port())
		}
		byPort[ap.Port()] = append(byPort[ap.Port()], ap.Addr())
		w.servers[a] = true
		switch ap.Addr().String() {
		case "0.0.0.0":
			w.servers[netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), ap.Port()).String()] = true
		case "::":
			w.servers[netip.AddrPortFrom(netip.IPv6Loopback(), ap.Port()).String()] = true
		}
	}
	w.mu.Unlock()
	s := ports.Snapshot{Epoch: "e", Ephemeral: [2]uint16{32768, 60999}}
	for _, n := range order {
		s.Ports = append(s.Ports, ports.Port{Number: n, Addresses: byPort[n], Process: "node", Command: "node server.js"})
	}
	w.m.Observe(s)
	synctest.Wait()
}

// lines are all forwards, one short line each: "3000→3001 forwarded #1 (3000 is in use)".
func (w *world) lines() []string {
	var out []string
	for _, f := range w.m.Forwards() {
		line := fmt.Sprintf("%d→%d %s #%d", f.Port, f.HostPort, f.Status, f.Opened)
		if f.Reason != "" {
			line += " (" + f.Reason + ")"
		}
		out = append(out, line)
	}
	return out
}

func (w *world) want(lines ...string) {
	w.t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(lines, w.lines()); diff != "" {
		w.t.Errorf("forwards (-want +got):\n%s", diff)
	}
}

// connect opens a connection to a host address.
func (w *world) connect(address string) net.Conn {
	w.t.Helper()
	w.mu.Lock()
	l := w.listeners[address]
	w.mu.Unlock()
	if l == nil {
		w.t.Fatalf("nothing listens on %s", address)
	}
	c, err := l.Dial(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// reached returns the address inside that a connection arrived at, or the error.
func (w *world) reached(c net.Conn) string {
	w.t.Helper()
	var line []byte
	for {
		b := make([]byte, 1)
		if _, err := c.Read(b); err != nil {
			if errors.Is(err, syscall.ECONNRESET) {
				return "reset"
			}
			return err.Error()
		}
		if b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[0])
	}
}

func (w *world) expect(address, want string) {
	w.t.Helper()
	c := w.connect(address)
	defer c.Close()
	if got := w.reached(c); got != want {
		w.t.Errorf("%s reached %q, want %q", address, got, want)
	}
}

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

func TestManagerChoosesHostPorts(t *testing.T) {
	inUse, denied, noV6 := syscall.EADDRINUSE, syscall.EACCES, syscall.EADDRNOTAVAIL
	tests := []struct {
		name     string
		cfg      tunnel.ManagerConfig
		taken    map[string]error
		serve    []string
		settings string
		want     []string
	}{
		{
			"next free",
			tunnel.ManagerConfig{},
			map[string]error{"127.0.0.1:3000": inUse},
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3001 forwarded #1 (3000 is in use)"},
		},
		{
			"taken on ::1 only",
			tunnel.ManagerConfig{},
			map[string]error{"[::1]:3000": inUse},
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3001 forwarded #1 (3000 is in use)"},
		},
		{
			"no ::1",
			tunnel.ManagerConfig{},
			map[string]error{"[::1]:3000": noV6},
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3000 forwarded #1"},
		},
		{
			"next free is the container's own",
			tunnel.ManagerConfig{},
			map[string]error{"127.0.0.1:3000": inUse},
			[]string{"0.0.0.0:3000", "0.0.0.0:3001"},
			"{}",
			[]string{"3000→3002 forwarded #1 (3000 is in use)", "3001→3001 forwarded #1"},
		},
		{
			"remembered",
			tunnel.ManagerConfig{Memory: tunnel.Memory{HostPorts: map[uint16]uint16{3000: 3005}}},
			nil,
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3005 forwarded #1 (as before)"},
		},
		{
			"remembered but taken",
			tunnel.ManagerConfig{Memory: tunnel.Memory{HostPorts: map[uint16]uint16{3000: 3005}}},
			map[string]error{"127.0.0.1:3005": inUse},
			[]string{"0.0.0.0:3000"},
			"{}",
			[]string{"3000→3000 forwarded #1"},
		},
		{
			"privileged",
			tunnel.ManagerConfig{},
			map[string]error{"127.0.0.1:80": denied},
			[]string{"0.0.0.0:80"},
			`{"forwardPorts":[80]}`,
			[]string{"80→8080 forwarded #1 (80 needs privileges)"},
		},
		{
			"requireLocalPort",
			tunnel.ManagerConfig{},
			map[string]error{"127.0.0.1:3000": inUse},
			[]string{"0.0.0.0:3000"},
			`{"portsAttributes":{"3000":{"requireLocalPort":true}}}`,
			[]string{"3000→0 failed #1 (3000 is in use)"},
		},
		{
			"configured but not open",
			tunnel.ManagerConfig{},
			nil, nil, `{"forwardPorts":[9000,"db:5432"]}`,
			[]string{"5432→5432 forwarded #1", "9000→9000 forwarded #0"},
		},
		{
			"cap",
			tunnel.ManagerConfig{},
			nil,
			[]string{"0.0.0.0:3000", "0.0.0.0:3001", "0.0.0.0:3002"},
			`{"maxForwards":2,"forwardPorts":[3002]}`,
			[]string{"3000→3000 forwarded #1", "3001→0 listed #1 (limit of 2 forwards reached)", "3002→3002 forwarded #1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				settings, err := tunnel.DecodeSettings([]byte(tt.settings))
				if err != nil {
					t.Fatal(err)
				}
				w := newWorld(t, tt.cfg)
				for a, err := range tt.taken {
					w.take(err, a)
				}
				w.serve(tt.serve...)
				w.m.Configure(settings)
				w.want(tt.want...)
			})
		})
	}
}

// A number that one forward gives up is free for another in the same look.
func TestManagerRemovesBeforeItBinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{Memory: tunnel.Memory{HostPorts: map[uint16]uint16{3000: 2000}}})
		w.serve("0.0.0.0:3000")
		w.want("3000→2000 forwarded #1 (as before)")
		settings, _ := tunnel.DecodeSettings([]byte(`{"forwardPorts":[2000],"portsAttributes":{"2000":{"requireLocalPort":true},"3000":{"onAutoForward":"ignore"}}}`))
		w.m.Configure(settings)
		w.want("2000→2000 forwarded #0")
	})
}

// A number that becomes free is moved to when somebody asks, and never by itself.
func TestManagerMovesOnRequestOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.take(syscall.EADDRINUSE, "127.0.0.1:3000")
		w.serve("0.0.0.0:3000")
		moved := "3000→3001 forwarded #1 (3000 is in use)"
		w.want(moved)
		w.take(nil, "127.0.0.1:3000")
		time.Sleep(time.Hour)
		w.serve("0.0.0.0:3000", "0.0.0.0:4000")
		w.m.SetState(tunnel.State{Phase: tunnel.Reconnecting})
		w.m.SetState(tunnel.State{Phase: tunnel.Connected})
		w.want(moved, "4000→4000 forwarded #1")
		w.serve("0.0.0.0:4000")
		time.Sleep(time.Minute)
		w.serve("0.0.0.0:3000", "0.0.0.0:4000") // remembered
		w.want("3000→3001 forwarded #2 (as before)", "4000→4000 forwarded #1")
		if _, err := w.m.Forward(t.Context(), 3000, 3000); err != nil {
			t.Error(err)
		}
		w.want("3000→3000 forwarded #2", "4000→4000 forwarded #1")
		w.expect("127.0.0.1:3000", "127.0.0.1:3000")
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

func TestManagerRetriesAFailedForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings, _ := tunnel.DecodeSettings([]byte(`{"otherPortsAttributes":{"requireLocalPort":true}}`))
		w := newWorld(t, tunnel.ManagerConfig{Settings: settings})
		w.take(syscall.EADDRINUSE, "127.0.0.1:3000")
		w.serve("0.0.0.0:3000")
		f := w.m.Forwards()[0]
		if f.Status != tunnel.Failed || !errors.Is(f.Err, syscall.EADDRINUSE) {
			t.Errorf("forward %+v", f)
		}
		w.take(nil, "127.0.0.1:3000")
		time.Sleep(5 * time.Second)
		w.want("3000→3000 forwarded #1")
	})
}

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
		if _, err := w.m.Forward(ctx, 3000, 4444); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("move to a taken port: %v", err)
		}
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
		if err := w.m.Unforward(ctx, 1234); !errors.Is(err, tunnel.ErrNotForwarded) {
			t.Errorf("stop nothing: %v", err)
		}
		if _, err := w.m.Forward(ctx, 0, 0); err == nil {
			t.Error("forwarded port 0")
		}
		if _, err := w.m.Forward(ctx, 3000, 0); err != nil {
			t.Error(err)
		}
		w.want("22→22 forwarded #1", "3000→3333 forwarded #2 (as before)", "9000→9000 forwarded #0")
	})
}

func TestManagerSettingsAreReread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, tunnel.ManagerConfig{})
		w.serve("0.0.0.0:3000", "0.0.0.0:3001")
		settings, _ := tunnel.DecodeSettings([]byte(`{"portsAttributes":{"3000":{"onAutoForward":"ignore"},"server\\.js":{"label":"app"}}}`))
		w.m.Configure(settings)
		w.want("3001→3001 forwarded #1")
		if f := w.m.Forwards()[0]; f.Label != "app" {
			t.Errorf("label %q", f.Label)
		}
		w.m.Configure(tunnel.Settings{})
		w.want("3000→3000 forwarded #1", "3001→3001 forwarded #1")

		// A forward that has moved must not once its number is required.
		w.take(syscall.EADDRINUSE, "127.0.0.1:4000")
		w.serve("0.0.0.0:4000")
		time.Sleep(time.Minute)
		w.want("4000→4001 forwarded #1 (4000 is in use)")
		settings, _ = tunnel.DecodeSettings([]byte(`{"portsAttributes":{"4000":{"requireLocalPort":true}}}`))
		w.m.Configure(settings)
		w.want("4000→0 failed #1 (4000 is in use)")
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
