package session_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
)

// linger lets an outage last: how long one takes is what some of them are about.
func linger(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

func TestPipePausedContainer(t *testing.T) {
	t.Parallel()
	p := newPipe(t)
	p.comesBack(p.pause, func(mark int) int {
		return p.awaitTold(mark, "third attempt", func(i session.Info) bool { return i.State == session.Reconnecting && i.Attempt >= 3 })
	})
}

// pause stops every process of the container, until the returned function is called.
func (p *pipe) pause() (unpause func()) {
	p.t.Helper()
	docker(p.t, "pause", p.Container)
	return func() { docker(p.t, "unpause", p.Container) }
}

// comesBack has an outage of which nobody tells, and which ends as little told, when lasts returns.
func (p *pipe) comesBack(fail func() (mend func()), lasts func(mark int) int) {
	p.t.Helper()
	open, begin, stop := p.both(), p.mark(), p.knock()
	defer stop()
	begun := time.Now()
	mend := fail()
	mark, noticed := p.notices(begin, begun, open...)
	waiting := p.hold()
	mark = lasts(mark)
	mend()
	connected := p.recovered(mark, time.Now(), waiting)
	stop()
	p.unchanged(begin)
	p.t.Logf("noticed after %v, connected %v after its end: %s", noticed, connected, p.history(begin))
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
	open, begin, stop := p.both(), p.mark(), p.knock()
	defer stop()
	restarted := make(chan error, 1)
	go func() { // waited for below
		restarted <- exec.CommandContext(t.Context(), "docker", "restart", "-t", "1", p.Container).Run()
	}()
	mark := p.awaitTold(begin, "outage", func(i session.Info) bool { return i.State != session.Connected })
	p.expectResets(open...)
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
	open, begin, stop := p.both(), p.mark(), p.knock()
	defer stop()
	begun := time.Now()
	docker(t, "exec", "-u", "0", p.Container, "pkill", "-KILL", "-x", "sketch-ide")
	mark := p.awaitTold(begin, "stopped", is(session.Stopped))
	noticed := time.Since(begun)
	p.expectResets(open...)
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

// drop makes every packet to and from the container vanish, or those only of the connections from ports of this machine, until the returned function
// is called.
func (p *pipe) drop(connections ...string) (restore func()) {
	p.t.Helper()
	if os.Geteuid() != 0 {
		p.t.Fatal("dropping a container's packets takes root: run the tests as root")
	}
	address := p.containerAddress()
	// From this machine, from the published port's proxy, and from a machine that routes to it.
	rules := [][]string{{"OUTPUT", "-d", address}, {"INPUT", "-s", address}, {"FORWARD", "-d", address}, {"FORWARD", "-s", address}}
	if len(connections) > 0 {
		rules = nil
	}
	for _, port := range connections {
		rules = append(rules, []string{"OUTPUT", "-d", address, "-p", "tcp", "--sport", port}, []string{"INPUT", "-s", address, "-p", "tcp", "--dport", port})
	}
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
	before, _ := p.agentHolds(p.Name)
	p.comesBack(func() func() { return p.drop() }, func(mark int) int {
		// The kernel asks again after 1, 3 and 7 s: long enough for the next time to be far away.
		linger(t, 3500*time.Millisecond)
		return mark
	})
	// Inside nobody was told of the connections that broke; in the end the agent has as many as ever.
	after, _ := p.agentHolds(p.Name)
	for deadline := time.Now().Add(patience); after > before+some; after, _ = p.agentHolds(p.Name) {
		if time.Now().After(deadline) {
			t.Fatalf("the agent has %d files open, before the outage %d", after, before)
		}
	}
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
		{"paused", (*pipe).pause},
		{"packets dropped", func(p *pipe) func() { return p.drop() }},
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
