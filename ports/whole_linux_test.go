package ports

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// startWhole runs the whole package on this machine's sockets: a monitor, its handler on a
// unix socket as the agent has it, and a follower. The updates come on the channel.
func startWhole(t testing.TB, m *Monitor) <-chan Update {
	t.Helper()
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	srv := &http.Server{Handler: Handler(m.cfg.Events), BaseContext: func(net.Listener) context.Context { return ctx }}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", ln.Addr().String())
	}}
	updates := make(chan Update, 1000)
	deliver := func(u Update) {
		select {
		case updates <- u:
		case <-ctx.Done():
		}
	}
	var wg sync.WaitGroup
	// All three end with ctx or Close, in the cleanup, which waits for them.
	wg.Go(func() { _ = srv.Serve(ln) })
	wg.Go(func() {
		if err := m.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	wg.Go(func() {
		cfg := FollowConfig{Client: &http.Client{Transport: transport}, BaseURL: "http://agent"}
		if err := Follow(ctx, cfg, deliver); !errors.Is(err, context.Canceled) {
			t.Errorf("Follow: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		srv.Close()
		transport.CloseIdleConnections()
		wg.Wait()
	})
	return updates
}

// await returns the next event of an endpoint with a type, and the state that came with it.
func await(t testing.TB, updates <-chan Update, typ EventType, addr string) (ev Event, state Snapshot) {
	t.Helper()
	u := awaitUpdate(t, updates, func(u Update) bool {
		i := slices.IndexFunc(u.Events, func(ev Event) bool { return ev.Type == typ && ev.Port == "tcp:"+addr })
		if i >= 0 {
			ev = u.Events[i]
		}
		return i >= 0
	})
	return ev, u.Snapshot
}

func awaitUpdate(t testing.TB, updates <-chan Update, wanted func(Update) bool) Update {
	t.Helper()
	for timeout := time.After(patience); ; {
		select {
		case u := <-updates:
			if wanted(u) {
				return u
			}
		case <-timeout:
			t.Fatal("what is awaited does not come")
		}
	}
}

func openPort(state Snapshot, number uint16) Port {
	if i, found := findPort(state.Ports, number); found {
		return state.Ports[i]
	}
	return Port{}
}

// logged is a log that can be read while it is written.
type logged struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// sourceVariable names the source that TestWholeMachine has to find chosen, if not the best.
const sourceVariable = "PORTS_TEST_SOURCE"

func TestWholeMachine(t *testing.T) {
	t.Parallel()
	child, ignored := startHelper(t), startHelper(t, "SKETCH_IGNORE_PORTS=1")
	before, _ := child.listen("127.0.0.1:0")
	// An idle interval beyond the test's patience: closes have to be pushed.
	log := &logged{}
	m := NewMonitor(MonitorConfig{Events: NewLog(0), IdleInterval: time.Hour, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	updates := startWhole(t, m)
	first := <-updates
	if openPort(first.Snapshot, netip.MustParseAddrPort(before).Port()).Number == 0 {
		t.Errorf("%s, open at the start, is not in the first state", before)
	}
	defer m.Busy()()
	own, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hidden, _ := ignored.listen("127.0.0.1:0")
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "127.0.0.2:0", "[::1]:0", "[::]:0"} {
		if strings.HasPrefix(address, "[") && !hasIPv6(address) {
			continue
		}
		addr, _ := child.listen(address)
		ev, state := await(t, updates, Opened, addr)
		want := netip.MustParseAddrPort(addr)
		if ev.Number != want.Port() || ev.Address != want.Addr() || !slices.Contains(openPort(state, want.Port()).Addresses, want.Addr()) {
			t.Errorf("%s: event %+v, state %+v", addr, ev, state)
		}
		named := func(u Update) bool { return openPort(u.Snapshot, want.Port()).PID == child.pid() }
		if !named(Update{Snapshot: state}) { // the machine is busy, and the name comes later
			awaitUpdate(t, updates, named)
		}
		child.close(addr)
		await(t, updates, Closed, addr)
	}
	own.Close()
	ignored.close(hidden)
	child.close(before)
	await(t, updates, Closed, before)
	source := cmp.Or(os.Getenv(sourceVariable), "netlink")
	if !strings.Contains(log.String(), "source="+source+"\n") || strings.Contains(log.String(), "closes of ports are not pushed") != (source != "netlink") {
		t.Errorf("source is not %s:\n%s", source, log)
	}
	events, _ := m.cfg.Events.since(time.Time{})
	for _, ev := range events {
		// A look that was too slow on a busy machine withdraws the port: never one without the other.
		if ev.Port == "tcp:"+own.Addr().String() {
			t.Errorf("event of our own socket: %+v", ev)
		}
	}
	hiddenEvents := slices.DeleteFunc(events, func(ev Event) bool { return ev.Port != "tcp:"+hidden })
	if len(hiddenEvents)%2 != 0 {
		t.Errorf("events of an ignored port: %v", story(hiddenEvents))
	}
}

// hasIPv6 says whether one can listen here; a container may have no IPv6 loopback.
func hasIPv6(address string) bool {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	ln.Close()
	return true
}
