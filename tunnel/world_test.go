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
	"syscall"
	"testing"
	"testing/synctest"

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

// anyPort is what the kernel chooses in this world.
const anyPort = 50123

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
	if n == 0 { // any
		n = anyPort
		address = net.JoinHostPort(host, strconv.Itoa(n))
	}
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
