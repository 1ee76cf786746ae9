package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/sketch-ide/sketch-ide/jsonrpc/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTranscripts replays the conversations in testdata, in process and in the virtual time of synctest.
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/transcripts/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			bubble(t, func(t *testing.T) { replay(t, path, file) })
		})
	}
}

// bubble runs a test in virtual time. jsonrpc2 keeps the channels of its calls in a sync.Pool, and a channel must not get
// from one bubble into another: two collections empty the pool, and no other test of this package runs meanwhile, since
// those in bubbles are not parallel.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	runtime.GC()
	runtime.GC()
	synctest.Test(t, test)
}

func replay(t *testing.T, path string, file []byte) {
	peer := newPeer(t)
	defer peer.stop()
	happened, err := transcript.Replay(file, peer)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		writeFile(t, path, string(happened))
		return
	}
	if diff := cmp.Diff(strings.Split(string(file), "\n"), strings.Split(string(happened), "\n")); diff != "" {
		t.Errorf("%s (-file +happened); -update rewrites it:\n%s\nlog:\n%s", path, diff, peer.log)
	}
}

// peer is a server in this process, with the editor's end of its connection. It lives in a synctest bubble.
type peer struct {
	t       *testing.T
	server  *Server
	backend *fakeBackend
	conn    net.Conn // the editor's end
	log     *syncBuffer
	tasks   sync.WaitGroup

	mu       sync.Mutex
	messages []json.RawMessage // guarded by mu
	exit     string            // guarded by mu
}

func newPeer(t *testing.T) *peer {
	ours, theirs := net.Pipe()
	p := &peer{t: t, backend: newFakeBackend(), conn: ours, log: new(syncBuffer)}
	p.server = NewServer(ServerConfig{
		Backend: p.backend, Version: "0.1.0", OpenBrowser: p.backend.openBrowser,
		Log: slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	p.tasks.Go(func() { p.serve(theirs) })
	p.tasks.Go(p.read)
	return p
}

func (p *peer) serve(theirs net.Conn) {
	code, err := p.server.Serve(context.Background(), theirs)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exit = fmt.Sprintf("code %d", code)
	if err != nil {
		p.exit += ": " + err.Error()
	}
}

// read reads what the server sends, with the reader that the server has.
func (p *peer) read() {
	frames := newFrameReader(p.conn)
	for {
		body, err := frames.next()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.messages = append(p.messages, bytes.Clone(body))
		p.mu.Unlock()
	}
}

func (p *peer) Send(frame []byte) error {
	_, err := p.conn.Write(frame)
	return err
}

// CloseInput ends the connection: a pipe of this kind has no half-close.
func (p *peer) CloseInput() error {
	synctest.Wait()
	return p.conn.Close()
}

func (p *peer) Directive(line string) error { return p.backend.direct(p.server, line) }

func (p *peer) Settle(transcript.Expectation) transcript.Events {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	events := transcript.Events{Messages: p.messages, Exit: p.exit, Calls: p.backend.takeCalls()}
	p.messages, p.exit = nil, ""
	return events
}

func (p *peer) stop() {
	if err := p.conn.Close(); err != nil {
		p.t.Log(err)
	}
	p.tasks.Wait()
}

// send sends a message without its "jsonrpc" member.
func (p *peer) send(message string) {
	p.t.Helper()
	if err := p.Send(transcript.Frame(`{"jsonrpc":"2.0",` + message[1:])); err != nil {
		p.t.Fatal(err)
	}
}

// initialize starts the conversation and forgets what was said so far.
func (p *peer) initialize(params string) {
	p.t.Helper()
	p.send(`{"id":0,"method":"initialize","params":` + params + `}`)
	p.send(`{"method":"initialized","params":{}}`)
	p.Settle(transcript.Expectation{})
}

// said returns what the server sent since the last call.
func (p *peer) said() []string {
	var said []string
	for _, message := range p.Settle(transcript.Expectation{}).Messages {
		said = append(said, string(message))
	}
	return said
}

// syncBuffer is a log for tests.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
