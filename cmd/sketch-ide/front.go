package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

// front is the terminal front end of `up`: a line for each event, and on a terminal a live list of the ports below them.
type front struct {
	gone    chan struct{} // closed when the session's container was removed
	leaving string        // what ctrl-C does

	mu     sync.Mutex // guards the fields below; writing to the terminal is what it is for
	screen screen
	json   bool
	ports  map[int]jsonrpc.Port // as last told
	state  session.State
	done   bool // nothing more is told of ports
}

var _ session.Observer = (*front)(nil)

// newFront returns a front end; leaving says what ctrl-C does.
func newFront(w io.Writer, asJSON, live bool, leaving string) *front {
	return &front{
		gone: make(chan struct{}), ports: map[int]jsonrpc.Port{}, json: asJSON, leaving: leaving,
		screen: screen{w: w, live: live && !asJSON && isTerminal(w)},
	}
}

// upEvent is a line of `up --json`.
type upEvent struct {
	Type    string           `json:"type"` // "progress", "session", "port", "message"
	Message string           `json:"message,omitempty"`
	Session *jsonrpc.Session `json:"session,omitempty"`
	Port    *jsonrpc.Port    `json:"port,omitempty"`
}

func (f *front) tell(e upEvent) {
	if f.json {
		data, err := json.Marshal(e)
		if err != nil { // structs of strings and numbers always encode
			return
		}
		f.screen.print(string(data))
		return
	}
	f.screen.print(e.Message)
}

func (f *front) line(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell(upEvent{Type: "message", Message: fmt.Sprintf(format, args...)})
}

// gitCount is a step of one of git's counters, of which a log needs only the last.
var gitCount = regexp.MustCompile(`: +[0-9]{1,2}% \(`)

func (f *front) progress(p session.Progress) {
	message := p.Message
	if gitCount.MatchString(message) {
		return
	}
	if p.Percent >= 0 {
		message = fmt.Sprintf("%3d%%  %s", p.Percent, message)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell(upEvent{Type: "progress", Message: message})
}

func (f *front) ready(i session.Info, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := wireSession(i)
	f.tell(upEvent{
		Type: "session", Session: &s,
		Message: fmt.Sprintf("%s is ready after %.1f s: %s on %s\nsketch-ide ssh %s   opens a shell in it", i.Name, took.Seconds(), i.Workspace, i.Branch, i.Name),
	})
}

// quiet ends the telling.
func (f *front) quiet() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = true
	f.screen.setFooter(nil)
}

// SessionChanged tells of the connection's troubles and of the end.
func (f *front) SessionChanged(i session.Info) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i.State == f.state {
		return
	}
	last := f.state
	f.state = i.State
	if i.State == session.Gone && last != session.Gone {
		close(f.gone)
	}
	if f.done {
		return
	}
	s := wireSession(i)
	e := upEvent{Type: "session", Session: &s, Message: fmt.Sprintf("%s: %s", i.Name, i.State)}
	if s.Error != nil && s.Error.Message != "" {
		e.Message += " (" + s.Error.Message + ")"
	}
	if f.json || last == session.Connected || i.State != session.Starting && i.State != session.Connected || last == session.Reconnecting {
		f.tell(e)
	}
}

// Problem tells what the supervisor says.
func (f *front) Problem(_ string, err error) {
	e := explain(err)
	f.line("%s", strings.TrimSpace(e.Message+" "+e.Hint))
}

// PortsChanged tells what is different from the last time.
func (f *front) PortsChanged(i session.Info) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done {
		return
	}
	now := map[int]jsonrpc.Port{}
	for _, p := range wirePorts(i.Forwards) {
		now[p.Number] = p
		if last, known := f.ports[p.Number]; !known || worthTelling(last, p) {
			f.tell(upEvent{Type: "port", Port: &p, Message: eventLine(p)})
		}
	}
	for number, p := range f.ports {
		if _, still := now[number]; !still {
			p.Status = jsonrpc.PortClosed
			f.tell(upEvent{Type: "port", Port: &p, Message: eventLine(p)})
		}
	}
	f.ports = now
	f.showPorts(i)
}

// worthTelling leaves out what people need no line for: a name that became known later, a server that restarted.
func worthTelling(last, p jsonrpc.Port) bool {
	if last.Status == jsonrpc.PortClosed && p.Status == jsonrpc.PortForwarded && last.Generation == p.Generation {
		return false
	}
	if p.Status == jsonrpc.PortClosed {
		return false // it may only be restarting; when it is not, it goes from the list and is told then
	}
	return last.Status != p.Status || last.HostPort != p.HostPort || last.Generation != p.Generation
}

func (f *front) showPorts(i session.Info) {
	var b bytes.Buffer
	if len(i.Forwards) > 0 {
		if err := portTable(&b, i.Forwards); err != nil { // a buffer takes everything
			return
		}
	}
	lines := splitLines(b.String())
	f.screen.setFooter(append(lines, i.Name))
}

// screen prints lines above a footer that stays below them. Where it is not live there is no footer, only lines.
type screen struct {
	w      io.Writer
	live   bool
	footer []string
}

func (s *screen) print(text string) {
	s.erase()
	fmt.Fprintln(s.w, text)
	s.draw()
}

func (s *screen) setFooter(lines []string) {
	s.erase()
	s.footer = lines
	s.draw()
}

func (s *screen) erase() {
	if s.live && len(s.footer) > 0 {
		fmt.Fprintf(s.w, "\r\x1b[%dA\x1b[J", len(s.footer)+1) // ECMA-48: cursor up, erase below; first past the ^C that a terminal echoes
	}
}

func (s *screen) draw() {
	if s.live && len(s.footer) > 0 {
		fmt.Fprintf(s.w, "\n%s\n", strings.Join(s.footer, "\n"))
	}
}
