package session_test

import (
	"errors"
	"io"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
)

// lines are the SSH connections to the container, as bytes sent by the port of this machine that they come from.
func (p *pipe) lines() map[string]int {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), "ss", "-HOtni", "state", "established", "dst", p.containerAddress(), "dport", "=", ":22022").Output()
	if err != nil {
		p.t.Fatalf("ss: %v", err)
	}
	lines := map[string]int{}
	for text := range strings.Lines(string(out)) {
		m := lineOfSS.FindStringSubmatch(text)
		if m == nil {
			p.t.Fatalf("ss says %q", text)
		}
		lines[m[1]], _ = strconv.Atoi(m[2]) // digits, or nothing was sent yet
	}
	return lines
}

var lineOfSS = regexp.MustCompile(`:(\d+)\s+\S+:22022\s(?:.*\sbytes_sent:(\d+))?`)

// large is a request of more bytes than setting up a connection takes, so that it shows which one it goes over.
var large = "GET /index.html HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("X-Filler: "+strings.Repeat("x", 1000)+"\r\n", 60) + "\r\n"

// sides are visitors of the two connections that they share.
type sides struct {
	mainPort, sidePort string // of this machine
	main, side         net.Conn
}

// apart opens visitors until there is one on each of the two connections. The first one comes from mainPort; "" where it is the only one yet.
func (p *pipe) apart(mainPort string) sides {
	p.t.Helper()
	if before := p.lines(); mainPort == "" && len(before) != 1 {
		p.t.Fatalf("%d connections before there are visitors: %v", len(before), before)
	}
	s := sides{mainPort: mainPort}
	for deadline := time.Now().Add(patience); s.main == nil || s.side == nil; {
		c, port := p.visitor()
		switch {
		case port == "": // it shows later than this
		case s.mainPort == "" || port == s.mainPort:
			s.main, s.mainPort = c, port
		default:
			s.side, s.sidePort = c, port
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("visitors of both connections are not to be had: %+v of %v", s, p.lines())
		}
	}
	return s
}

// visitor makes a request on a connection, and returns the port that it left this machine from, if that shows.
func (p *pipe) visitor() (c net.Conn, port string) {
	p.t.Helper()
	before := p.lines()
	c = p.connect()
	if err := exchange(c, large); err != nil {
		p.t.Fatal(err)
	}
	for port, sent := range p.lines() {
		if sent >= before[port]+len(large) {
			return c, port
		}
	}
	return c, ""
}

// both are visitors of the two connections.
func (p *pipe) both() []net.Conn {
	p.t.Helper()
	s := p.apart("")
	return []net.Conn{s.main, s.side}
}

// exchange makes a request on a connection that goes on.
func exchange(c net.Conn, request string) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, request); err != nil {
		return err
	}
	page, err := answer(c)
	if err == nil && page != "hello from inside\n" {
		err = errors.New("the page is " + strconv.Quote(page))
	}
	return err
}

// TestPipeSideConnection has a fault on one of the two connections that visitors share. On the second it is nobody's matter but its visitors'; the loss of
// the first is the session's.
func TestPipeSideConnection(t *testing.T) {
	t.Parallel()
	p := newPipe(t)
	docker(t, "exec", "-w", p.Workspace, p.Container, "sh", "-c", "head -c 64M /dev/zero >large")
	mainPort := ""
	for _, tt := range []struct {
		name  string
		fault func(port string) (mend func())
		first bool
	}{
		{"second is cut", p.cutOne, false},
		{"second falls silent", func(port string) func() { return p.drop(port) }, false},
		{"first falls silent", func(port string) func() { return p.drop(port) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, begin := p.apart(mainPort), p.mark()
			mainPort = s.mainPort
			// A download is under way on the second, which nobody reads to its end.
			if _, err := io.WriteString(s.side, strings.Replace(request, "index.html", "large", 1)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(s.side, make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
			port := s.sidePort
			if tt.first {
				port = s.mainPort
			}
			begun := time.Now()
			mend := tt.fault(port)
			defer mend()
			if !tt.first {
				if err := exchange(s.main, request); err != nil {
					t.Errorf("visitor of the other connection: %v", err)
				}
			}
			for range 4 { // some of them choose the connection of which it is not known yet
				if err := exchange(p.connect(), request); err != nil {
					t.Errorf("visitor meanwhile: %v", err)
				}
			}
			if err := s.side.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, s.side); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the download ends after %d more bytes with %v, want a reset", n, err)
			}
			t.Logf("download reset after %v", time.Since(begun))
			if tt.first {
				p.expectReset("visitor of the first connection", s.main)
				p.awaitTold(p.awaitTold(begin, "loss", is(session.Reconnecting)), "connected", is(session.Connected))
			} else if history := p.history(begin); history != "" && history != string(session.Connected) { // the name of the server's process may be told late
				t.Errorf("told: %s", history)
			}
			p.unchanged(begin)
			if lines := p.lines(); !tt.first && lines[mainPort] == 0 {
				t.Errorf("the first connection is another one: %v, not from %s", lines, mainPort)
			}
		})
	}
}

// cutOne ends one connection as cut does with all.
func (p *pipe) cutOne(port string) (mend func()) {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), "ss", "-K", "-tn", "state", "established", "dst", p.containerAddress(), "sport", "=", ":"+port).CombinedOutput()
	if err != nil {
		p.t.Errorf("ss -K: %v\n%s", err, out)
	}
	return func() {}
}
