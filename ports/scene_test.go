package ports

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// A network lets a test change, under a client, what answers its connections.
type network struct {
	mu    sync.Mutex
	dial  func(context.Context) (net.Conn, error)
	conns []net.Conn
	dials int
}

// become makes dial answer from now on, and breaks the connections that there are.
func (n *network) become(dial func(context.Context) (net.Conn, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dial = dial
	for _, conn := range n.conns {
		conn.Close()
	}
	n.conns = nil
}

func (n *network) connect(ctx context.Context) (net.Conn, error) {
	n.mu.Lock()
	dial := n.dial
	n.dials++
	n.mu.Unlock()
	conn, err := dial(ctx)
	if err == nil {
		n.mu.Lock()
		n.conns = append(n.conns, conn)
		n.mu.Unlock()
	}
	return conn, err
}

func (n *network) dialed() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer func() { n.dials = 0 }()
	return n.dials
}

// A recorder takes what Follow delivers.
type recorder struct {
	t       *testing.T
	mu      sync.Mutex
	updates []Update
	last    []Port
	log     bytes.Buffer
}

func (r *recorder) deliver(u Update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check(u)
	r.updates, r.last = append(r.updates, u), u.Snapshot.Ports
}

// check compares the state of an update with its events: a port that is another one than before has an event, and the last
// event of a port has what it became.
func (r *recorder) check(u Update) {
	became := map[uint16]*Port{}
	for _, ev := range u.Events {
		became[ev.Number] = ev.Open
	}
	for number, open := range became {
		i, found := findPort(u.Snapshot.Ports, number)
		if found != (open != nil) || found && dump(*open) != dump(u.Snapshot.Ports[i]) {
			r.t.Errorf("port %d became %s in %s", number, dump(open), dump(u))
		}
	}
	for _, ports := range [][2][]Port{{r.last, u.Snapshot.Ports}, {u.Snapshot.Ports, r.last}} {
		for _, port := range ports[0] {
			if _, told := became[port.Number]; !told && r.last != nil && len(without(port, ports[1])) > 0 {
				r.t.Errorf("nothing is told of port %d in %s, before which there was %s", port.Number, dump(u), dump(r.last))
			}
		}
	}
}

// take returns the updates since the last call.
func (r *recorder) take() []Update {
	r.mu.Lock()
	defer r.mu.Unlock()
	updates := r.updates
	r.updates = nil
	return updates
}

// one returns the one update since the last call.
func (r *recorder) one(t *testing.T) Update {
	t.Helper()
	updates := r.take()
	if len(updates) != 1 {
		t.Fatalf("%d updates, want one: %s", len(updates), dump(updates))
	}
	return updates[0]
}

// startFollow follows what the network answers with, until the test ends.
func startFollow(t *testing.T, n *network) *recorder {
	t.Helper()
	rec := &recorder{t: t}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	cfg := FollowConfig{Client: clientOf(t, n.connect), BaseURL: "http://agent", Log: slog.New(slog.NewTextHandler(&rec.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	// Ended and waited for by the cleanup.
	go func() { ended <- Follow(ctx, cfg, rec.deliver) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Follow: %v", err)
		}
	})
	return rec
}

// A scene is a table of sockets with its log, for tests of both ends.
type scene struct {
	*Log
	table *table
	inode uint32
	skew  time.Duration // how far the server's clock is ahead of the client's
}

func newScene(t testing.TB, open ...string) *scene {
	t.Helper()
	s := &scene{Log: NewLog(0), table: newTable()}
	s.table.replace(s.rows(open))
	s.table.publish(time.Now())
	s.prime(s.table.board.open(), [2]uint16{32768, 60999})
	return s
}

// rows keeps the sockets of addresses that are open already.
func (s *scene) rows(open []string) (rows []Listener) {
	for _, addr := range open {
		s.inode++
		row := listener(addr, s.inode)
		for key := range s.table.sockets {
			if key.addr == row.Addr {
				row.Inode = key.inode
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// now makes these the listening sockets.
func (s *scene) now(open ...string) {
	s.table.replace(s.rows(open))
	if events := s.table.publish(time.Now().Add(s.skew)); len(events) > 0 {
		s.append(events, s.table.board.open())
	}
}

// all is what a client has to have.
func (s *scene) all(t *testing.T) Snapshot {
	t.Helper()
	state, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// legacy makes a handler one that cannot do things that ours can: streams, long polls
// and snapshots.
func legacy(h http.Handler, stream, longPoll, snapshot bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !stream {
			r.Header.Del("Accept")
		}
		if !longPoll {
			r.URL.RawQuery = ""
		}
		if !snapshot && r.URL.Path == "/ports" {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// dump is the whole of a value as text.
func dump(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
