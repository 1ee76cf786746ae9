package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sketch-ide/sketch-ide/jsonrpc/transcript"
)

// deafEditor is the editor's end of a connection that is not read until listen is called.
func deafEditor(t *testing.T) (p *peer, listen func()) {
	ours, theirs := net.Pipe()
	p = &peer{t: t, backend: newFakeBackend(), conn: ours, log: new(syncBuffer)}
	p.server = NewServer(ServerConfig{Backend: p.backend})
	p.tasks.Go(func() { p.serve(theirs) })
	return p, func() { p.tasks.Go(p.read) }
}

// TestDeafEditor checks that an editor that stops reading blocks nobody and costs bounded memory, and that it finds the
// latest state when it reads again.
func TestDeafEditor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, listen := deafEditor(t)
		defer p.stop()
		p.send(`{"id":0,"method":"initialize","params":{"capabilities":{"experimental":{"sketch":{"version":1}}}}}`)
		p.send(`{"method":"initialized"}`)
		big := strings.Repeat("x", 4000)
		const last = 20000
		for i := range last + 1 { // some 200 MB in all
			p.server.PortsChanged("sketch-a", true, []Port{{Number: 3000, Status: PortListed, Reason: big, Generation: uint64(i)}})
			p.server.SessionChanged(Session{Name: "sketch-a", Attempt: i})
			p.server.Message(LevelLog, big)
			if i%1000 == 0 {
				synctest.Wait()
			}
		}
		listen()
		var attempt int
		var generation uint64
		total := 0
		for _, message := range p.said() {
			total += len(message)
			params := member(json.RawMessage(message), "params")
			switch decoded[string](member(json.RawMessage(message), "method")) {
			case methodSession:
				attempt = decoded[Session](params).Attempt
			case methodPorts:
				generation = decoded[PortsNotification](params).Ports[0].Generation
			}
		}
		if attempt != last || generation != last {
			t.Errorf("latest states are %v and %v, want %d", attempt, generation, last)
		}
		if limit := 3*maxUnwritten + maxEvents*10000; total > limit {
			t.Errorf("%d bytes were kept, more than %d", total, limit)
		}
	})
}

// TestDeafEditorGoes checks that Serve ends although the editor does not read what is queued for it.
func TestDeafEditorGoes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, _ := deafEditor(t)
		p.send(`{"id":0,"method":"initialize"}`)
		p.send(`{"id":1,"method":"shutdown"}`)
		p.send(`{"method":"exit"}`)
		time.Sleep(flushPatience)
		if got := p.Settle(transcript.Expectation{}).Exit; got != "code 0" {
			t.Errorf("exit = %q", got)
		}
		p.stop()
	})
}

func TestTooManyRequests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer(t)
		defer p.stop()
		p.initialize(`{}`)
		p.backend.play(func() { p.backend.blocked["status"] = true })
		for i := range maxInFlight + 1 {
			p.send(fmt.Sprintf(`{"id":%d,"method":"sketch.status"}`, i))
		}
		said := p.said()
		if len(said) != 1 || !strings.Contains(said[0], `"code":1402`) || !strings.Contains(said[0], `"retryable":true`) {
			t.Errorf("said %q", said)
		}
	})
}

// TestManyUnansweredToasts checks that toasts that are never answered are bounded, and that the oldest is given up.
func TestManyUnansweredToasts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer(t)
		defer p.stop()
		p.initialize(`{"clientInfo":{"name":"Cursor"}}`)
		for i := range maxPendingToasts + 5 {
			p.server.PortsChanged("sketch-a", true, []Port{{Number: 1000 + i, HostPort: 1000 + i, Status: PortForwarded, Action: ActionNotify, Generation: 1}})
			time.Sleep(10 * time.Second)
		}
		if got := len(p.said()); got != maxPendingToasts+5 {
			t.Errorf("%d toasts", got)
		}
		p.send(`{"id":1,"result":{"title":"Stop Forwarding"}}`)
		if calls := p.Settle(transcript.Expectation{}).Calls; len(calls) != 0 {
			t.Errorf("the oldest toast did %q", calls)
		}
		p.send(`{"id":6,"result":{"title":"Stop Forwarding"}}`)
		if calls := p.Settle(transcript.Expectation{}).Calls; len(calls) != 1 {
			t.Errorf("a pending toast did %q", calls)
		}
	})
}

// TestBorrowedMemory sends many requests in one write: jsonrpc2 lends a request the memory of its frame, which the next
// frame overwrites. Run it with -tags jsonrpc2poison too.
func TestBorrowedMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer(t)
		defer p.stop()
		p.initialize(`{}`)
		var frames []byte
		var want []string
		for i := range 50 {
			frames = append(frames, transcript.Frame(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"sketch.forward","params":[%d]}`, i, 3000+i))...)
			frames = append(frames, transcript.Frame(`{"jsonrpc":"2.0","method":"workspace/didChangeConfiguration","params":{"settings":{"x":"y"}}}`)...)
			want = append(want, fmt.Sprintf(`forward {"port":%d}`, 3000+i), `configure {"x":"y"}`)
		}
		if err := p.Send(frames); err != nil {
			t.Fatal(err)
		}
		got := p.Settle(transcript.Expectation{}).Calls
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("calls %q, want %q", got, want)
		}
	})
}

// TestEndOfContext checks that a signal to the process ends Serve in order.
func TestEndOfContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, theirs := net.Pipe()
		server := NewServer(ServerConfig{Backend: newFakeBackend()})
		time.AfterFunc(time.Minute, cancel)
		if code, err := server.Serve(ctx, theirs); code != 1 || err != nil {
			t.Errorf("Serve() = %d, %v", code, err)
		}
	})
}

// brokenWriter is a connection that can be read and not written.
type brokenWriter struct{ net.Conn }

var errBroken = errors.New("broken pipe")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestBrokenPipe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		server := NewServer(ServerConfig{Backend: newFakeBackend()})
		go func() { _, _ = ours.Write(transcript.Frame(`{"jsonrpc":"2.0","id":0,"method":"initialize"}`)) }()
		if code, err := server.Serve(t.Context(), brokenWriter{theirs}); code != 1 || !errors.Is(err, errBroken) {
			t.Errorf("Serve() = %d, %v", code, err)
		}
	})
}

// stubbornBackend does not heed its context.
type stubbornBackend struct {
	*fakeBackend
	release chan struct{}
}

func (b stubbornBackend) Status(context.Context) (Status, error) {
	<-b.release
	return Status{}, nil
}

func TestStubbornBackend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		release := make(chan struct{})
		server := NewServer(ServerConfig{Backend: stubbornBackend{newFakeBackend(), release}})
		p := &peer{t: t, backend: newFakeBackend(), server: server, conn: ours, log: new(syncBuffer)}
		p.tasks.Go(func() { p.serve(theirs) })
		p.tasks.Go(p.read)
		p.initialize(`{}`)
		p.send(`{"id":1,"method":"sketch.status"}`)
		p.send(`{"method":"exit"}`)
		time.Sleep(detachPatience)
		if got := p.Settle(transcript.Expectation{}).Exit; got != "code 1" {
			t.Errorf("exit = %q", got)
		}
		close(release)
		p.stop()
	})
}

// TestEditorDies checks that the connection ends when the editor's process does, though its pipe stays open.
func TestEditorDies(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer(t)
		p.initialize(`{"processId":2147483646}`) // cannot be seen: says nothing
		time.Sleep(time.Hour)
		if got := p.Settle(transcript.Expectation{}).Exit; got != "" {
			t.Errorf("exit = %q", got)
		}
		p.server.link.end(errEditorDied)
		if got := p.Settle(transcript.Expectation{}).Exit; got != "code 1" {
			t.Errorf("exit = %q", got)
		}
		p.stop()
	})
}

// TestBackendPanicsAtTheEnd checks that a backend that panics while it detaches does not take the exit code along.
func TestBackendPanicsAtTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer(t)
		p.initialize(`{}`)
		p.backend.play(func() { p.backend.panics["close"] = true })
		p.send(`{"id":1,"method":"shutdown"}`)
		p.send(`{"method":"exit"}`)
		if got := p.Settle(transcript.Expectation{}).Exit; got != "code 0" {
			t.Errorf("exit = %q", got)
		}
		p.stop()
	})
}

// TestFramingErrorIsHandledOnce checks that what Serve returns, which its caller tells, is not logged as well.
func TestFramingErrorIsHandledOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer(t)
		p.initialize(`{}`)
		if err := p.Send([]byte("hello there\r\n")); err != nil {
			t.Fatal(err)
		}
		if got := p.Settle(transcript.Expectation{}).Exit; !strings.Contains(got, "broken framing") {
			t.Errorf("exit = %q", got)
		}
		if got := p.log.String(); strings.Contains(got, "framing") {
			t.Errorf("logged too:\n%s", got)
		}
		p.stop()
	})
}
