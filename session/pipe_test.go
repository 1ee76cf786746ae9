package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// patience bounds what is waited for. How long it takes on a machine that does nothing else is measured by internal/bench: a dead peer is to be noticed
// within 10 s, and what it was asked meanwhile answered within 2 s of its return.
const patience = time.Minute

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

// linger lets an outage last: how long one takes is what some of them are about.
func linger(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
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
func (p *pipe) notices(mark int, begun time.Time, idle net.Conn) (int, time.Duration) {
	p.t.Helper()
	mark = p.awaitTold(mark, "reconnecting", is(session.Reconnecting))
	noticed := time.Since(begun)
	p.expectReset("established connection", idle)
	return mark, noticed
}

func TestPipePausedContainer(t *testing.T) {
	t.Parallel()
	p := newPipe(t)
	idle, begin, stop := p.idle(), p.mark(), p.knock()
	defer stop()
	begun := time.Now()
	docker(t, "pause", p.Container)
	mark, noticed := p.notices(begin, begun, idle)
	waiting := p.hold()
	mark = p.awaitTold(mark, "third attempt", func(i session.Info) bool { return i.State == session.Reconnecting && i.Attempt >= 3 })
	docker(t, "unpause", p.Container)
	connected := p.recovered(mark, time.Now(), waiting)
	stop()
	p.unchanged(begin)
	t.Logf("noticed after %v, connected %v after the unpause: %s", noticed, connected, p.history(begin))
}

// A pause that is over before it is noticed breaks nothing, connections included.
func TestPipeShortPause(t *testing.T) {
	t.Parallel()
	p := newPipe(t)
	idle, begin := p.idle(), p.mark()
	docker(t, "pause", p.Container)
	waiting := p.hold()
	docker(t, "unpause", p.Container)
	if h := <-waiting; h.err != nil || h.page != "hello from inside\n" {
		t.Errorf("request made during the pause: %q, %v", h.page, h.err)
	}
	if _, err := io.WriteString(idle, request); err != nil {
		t.Error(err)
	}
	if page, err := answer(idle); err != nil || page != "hello from inside\n" {
		t.Errorf("established connection after the pause: %q, %v", page, err)
	}
	if history := p.history(begin); history != "" && history != string(session.Connected) { // the name of the server's process may be told late
		t.Errorf("told: %s", history)
	}
}

func TestPipeRestartedContainer(t *testing.T) {
	t.Parallel()
	p := newPipe(t)
	idle, begin, stop := p.idle(), p.mark(), p.knock()
	defer stop()
	restarted := make(chan error, 1)
	go func() { // waited for below
		restarted <- exec.CommandContext(t.Context(), "docker", "restart", "-t", "1", p.Container).Run()
	}()
	mark := p.awaitTold(begin, "outage", func(i session.Info) bool { return i.State != session.Connected })
	p.expectReset("established connection", idle)
	waiting := p.hold()
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	p.serve() // it ended with the container
	connected := p.recovered(mark, back, waiting)
	stop()
	p.unchanged(begin)
	t.Logf("connected %v after the restart: %s", connected, p.history(begin))
}

func TestPipeKilledAgent(t *testing.T) {
	t.Parallel()
	p := newPipe(t)
	idle, begin, stop := p.idle(), p.mark(), p.knock()
	defer stop()
	begun := time.Now()
	docker(t, "exec", "-u", "0", p.Container, "pkill", "-KILL", "-x", "sketch-ide")
	mark := p.awaitTold(begin, "stopped", is(session.Stopped))
	noticed := time.Since(begun)
	p.expectReset("established connection", idle)
	waiting := p.hold()
	if _, err := p.Start(t.Context(), session.StartOptions{Folder: p.Folder}, nil); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	p.serve()
	connected := p.recovered(mark, back, waiting)
	stop()
	p.unchanged(begin)
	t.Logf("noticed after %v, connected %v after the start: %s", noticed, connected, p.history(begin))
}

// containerAddress is the container's own address.
func (p *pipe) containerAddress() string {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), "docker", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", p.Container).Output()
	address := strings.TrimSpace(string(out))
	if err != nil || net.ParseIP(address) == nil {
		p.t.Fatalf("address of the container: %q, %v", address, err)
	}
	return address
}

// drop makes every packet to and from the container vanish, until the returned function is called.
func (p *pipe) drop() (restore func()) {
	p.t.Helper()
	if os.Geteuid() != 0 {
		p.t.Fatal("dropping a container's packets takes root: run the tests as root")
	}
	address := p.containerAddress()
	// From this machine, from the published port's proxy, and from a machine that routes to it.
	rules := [][]string{{"OUTPUT", "-d", address}, {"INPUT", "-s", address}, {"FORWARD", "-d", address}, {"FORWARD", "-s", address}}
	iptables := func(what string, rule []string) error {
		args := append([]string{"-w", what}, append(rule, "-j", "DROP")...)
		if out, err := exec.Command("iptables", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("iptables %v: %w: %s", args, err, out)
		}
		return nil
	}
	added := 0
	restore = sync.OnceFunc(func() {
		for _, rule := range rules[:added] {
			if err := iptables("-D", rule); err != nil {
				p.t.Error(err)
			}
		}
	})
	p.t.Cleanup(restore)
	for _, rule := range rules {
		if err := iptables("-I", rule); err != nil {
			p.t.Fatal(err)
		}
		added++
	}
	return restore
}

func TestPipeDroppedPackets(t *testing.T) {
	t.Parallel()
	p := newPipe(t)
	idle, begin, stop := p.idle(), p.mark(), p.knock()
	defer stop()
	begun := time.Now()
	restore := p.drop()
	mark, noticed := p.notices(begin, begun, idle)
	waiting := p.hold()
	// The kernel asks again after 1, 3 and 7 s: long enough for the next time to be far away.
	linger(t, 3500*time.Millisecond)
	restore()
	connected := p.recovered(mark, time.Now(), waiting)
	stop()
	p.unchanged(begin)
	t.Logf("noticed after %v, connected %v after the packets passed again: %s", noticed, connected, p.history(begin))
}

// An outage longer than the hold: connections made during it are reset in the end, later ones are served.
func TestPipeHoldIsBounded(t *testing.T) {
	t.Parallel()
	p := newPipe(t)
	idle, begin, stop := p.idle(), p.mark(), p.knock()
	defer stop()
	begun := time.Now()
	restore := p.drop()
	mark, _ := p.notices(begin, begun, idle)
	since := time.Now()
	first := <-p.hold()
	if waited := first.at.Sub(since); !errors.Is(first.err, syscall.ECONNRESET) || waited < 8*time.Second {
		t.Errorf("request made during the outage: %q, %v after %v, want a reset after 10 s", first.page, first.err, waited)
	}
	mark = p.awaitTold(mark, "second attempt", func(i session.Info) bool { return i.State == session.Reconnecting && i.Attempt >= 2 })
	waiting := p.hold()
	restore()
	connected := p.recovered(mark, time.Now(), waiting)
	stop()
	p.unchanged(begin)
	t.Logf("connected %v after the packets passed again: %s", connected, p.history(begin))
}

// A lost session holds nobody; it comes back all the same, whether or not the engine knows that the peer is back.
func TestPipeLost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		begin func(*pipe) (end func())
	}{
		{"paused", func(p *pipe) func() {
			docker(p.t, "pause", p.Container)
			return func() { docker(p.t, "unpause", p.Container) }
		}},
		{"packets dropped", (*pipe).drop},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPipe(t, func(c *session.Config) { c.LostAfter = 2 * time.Second })
			idle, begin, stop := p.idle(), p.mark(), p.knock()
			defer stop()
			begun := time.Now()
			end := tt.begin(p)
			mark, _ := p.notices(begin, begun, idle)
			early := p.hold()
			mark = p.awaitTold(mark, "lost", is(session.Lost))
			if h := <-early; !errors.Is(h.err, syscall.ECONNRESET) {
				t.Errorf("request made before the session was lost: %q, %v", h.page, h.err)
			}
			if c, err := net.Dial("tcp", p.address()); err == nil {
				p.expectReset("connection to a lost session", c)
				c.Close()
			} else if !errors.Is(err, syscall.ECONNRESET) { // it may come as early as that
				t.Errorf("connection to a lost session: %v, want a reset", err)
			}
			end()
			back := time.Now()
			p.awaitTold(mark, "connected", is(session.Connected))
			connected := time.Since(back)
			p.await(p.Name, "forward", forwarded(p.port))
			if page := get(t, p.forward.URL()+"/index.html"); page != "hello from inside\n" {
				t.Errorf("GET afterwards answered %q", page)
			}
			stop()
			p.unchanged(begin)
			t.Logf("connected %v after the peer was back: %s", connected, p.history(begin))
		})
	}
}

// What opened and closed during an outage is known as soon as it is over.
func TestPipePortsOfAnOutage(t *testing.T) {
	t.Parallel()
	p := newPipe(t)
	idle, begin := p.idle(), p.mark()
	begun := time.Now()
	restore := p.drop()
	mark, _ := p.notices(begin, begun, idle)
	docker(t, "exec", "-u", "0", p.Container, "pkill", "-KILL", "-f", "serve_forever")
	first := p.port
	p.port++
	p.serve()
	restore()
	back := time.Now()
	p.awaitTold(mark, "new port", forwarded(p.port))
	news := time.Since(back)
	p.await(p.Name, "end of the first port", func(i session.Info) bool { return find(i, first).Port == 0 })
	t.Logf("new port forwarded %v after the packets passed again", news)
}
