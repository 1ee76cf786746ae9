package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// pipe is a session with a web server inside, whose connection is about to be broken.
type pipe struct {
	*window
	session.Info
	port    uint16
	forward tunnel.Forward // as it was first told
}

func newPipe(t *testing.T, change ...func(*session.Config)) *pipe {
	t.Helper()
	w := open(t, newStore(t), change...)
	p := &pipe{window: w, Info: w.start(newRepo(t)), port: freePort(t)}
	p.serve()
	p.forward = find(w.await(p.Name, "forward", forwarded(p.port)), p.port)
	if page := get(t, p.forward.URL()+"/index.html"); page != "hello from inside\n" {
		t.Fatalf("GET answered %q", page)
	}
	return p
}

// serve runs a server that does not depend on our connection as a command over it would, and keeps connections alive.
func (p *pipe) serve() {
	p.t.Helper()
	script := fmt.Sprintf(`from http.server import *
H = SimpleHTTPRequestHandler
H.protocol_version = "HTTP/1.1"
ThreadingHTTPServer.request_queue_size = 1000 # not 5: all who waited come at once
ThreadingHTTPServer(("127.0.0.1", %d), H).serve_forever()`, p.port)
	docker(p.t, "exec", "-d", "-w", p.Workspace, p.Container, "python3", "-c", script)
}

// mark is a place in what was told; what follows is looked for from there.
func (p *pipe) mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.told)
}

// awaitTold waits until something that satisfies ok is told from mark on, and returns the place behind it. Unlike await it misses nothing short.
func (p *pipe) awaitTold(mark int, what string, ok func(session.Info) bool) int {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		told, news := p.told, p.news
		p.mu.Unlock()
		for ; mark < len(told); mark++ {
			if ok(told[mark]) {
				return mark + 1
			}
		}
		select {
		case <-news:
		case <-deadline:
			p.t.Fatalf("%s: not told within %v; the last was %+v", what, patience, told[len(told)-1])
		}
	}
}

func is(state session.State) func(session.Info) bool {
	return func(i session.Info) bool { return i.State == state }
}

func (p *pipe) address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p.forward.HostPort)))
}

// connect makes a connection to the host port, which must never be refused.
func (p *pipe) connect() net.Conn {
	p.t.Helper()
	c, err := net.DialTimeout("tcp", p.address(), patience)
	if err != nil {
		p.t.Fatalf("the host's listener: %v", err)
	}
	p.t.Cleanup(func() { c.Close() })
	return c
}

const request = "GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n"

// answer reads the answer to one request.
func answer(c net.Conn) (string, error) {
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// idle is an established connection that has carried a request and waits for the next.
func (p *pipe) idle() net.Conn {
	p.t.Helper()
	c := p.connect()
	if _, err := io.WriteString(c, request); err != nil {
		p.t.Fatal(err)
	}
	if page, err := answer(c); err != nil || page != "hello from inside\n" {
		p.t.Fatalf("first request of a connection: %q, %v", page, err)
	}
	return c
}

// expectReset expects c to be reset, now that the outage is known.
func (p *pipe) expectReset(what string, c net.Conn) {
	p.t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		p.t.Errorf("%s: read %v, want a reset", what, err)
	}
}

func (p *pipe) expectResets(open ...net.Conn) {
	p.t.Helper()
	for i, c := range open {
		p.expectReset(fmt.Sprintf("established connection %d", i+1), c)
	}
}

// held is a request that was made during an outage.
type held struct {
	page string
	err  error
	at   time.Time
}

// hold makes a request that is to be answered when the peer is back. The channel gets its end.
func (p *pipe) hold() <-chan held {
	p.t.Helper()
	c := p.connect()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, request); err != nil {
		p.t.Errorf("request during the outage: %v", err)
	}
	done := make(chan held, 1)
	go func() { // ends with the connection, at the latest at its deadline
		page, err := answer(c)
		done <- held{page, err, time.Now()}
	}()
	return done
}

// knock connects to the host port again and again, which must not be refused, until the returned function is called.
func (p *pipe) knock() (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	var group sync.WaitGroup
	knocks := 0
	// Ends with cancel; stop waits.
	group.Go(func() {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			c, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.address())
			if err == nil {
				c.Close()
				knocks++
			} else if errors.Is(err, syscall.ECONNREFUSED) {
				p.t.Errorf("the host's listener was not kept: %v", err)
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		cancel()
		group.Wait()
		if knocks == 0 {
			p.t.Error("nobody knocked")
		}
	})
}

// unchanged checks all that was told from mark on: the forward was there all the time and never newly opened.
func (p *pipe) unchanged(mark int) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, info := range p.told[mark:] {
		f := find(info, p.port)
		if f.HostPort != p.forward.HostPort || f.Opened != p.forward.Opened {
			p.t.Errorf("while %s (%d): host port %d, opened %d times; want %d, %d", info.State, info.Attempt, f.HostPort, f.Opened, p.forward.HostPort, p.forward.Opened)
			return
		}
	}
}

// history is the sequence of states since mark, for the log.
func (p *pipe) history(mark int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var words []string
	for _, i := range p.told[mark:] {
		word := string(i.State)
		if i.Attempt > 0 {
			word += fmt.Sprintf("(%d)", i.Attempt)
		}
		if len(words) == 0 || words[len(words)-1] != word {
			words = append(words, word)
		}
	}
	return strings.Join(words, " → ")
}

// recovered waits for the connection after the peer came back, and checks all that must hold then.
func (p *pipe) recovered(mark int, back time.Time, waiting <-chan held) (connected time.Duration) {
	p.t.Helper()
	p.awaitTold(mark, "connected", is(session.Connected))
	connected = time.Since(back)
	h := <-waiting
	if h.err != nil || h.page != "hello from inside\n" {
		p.t.Errorf("request made during the outage: %q, %v", h.page, h.err)
	}
	if page := get(p.t, p.forward.URL()+"/index.html"); page != "hello from inside\n" {
		p.t.Errorf("GET afterwards answered %q", page)
	}
	return connected
}

// notices waits until the outage is told, and checks what must hold from then on. The returned mark is behind it.
func (p *pipe) notices(mark int, begun time.Time, open ...net.Conn) (int, time.Duration) {
	p.t.Helper()
	mark = p.awaitTold(mark, "reconnecting", is(session.Reconnecting))
	noticed := time.Since(begun)
	p.expectResets(open...)
	return mark, noticed
}
