package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

// front is the terminal front end of `up`: a line for each event, and on a terminal a live list of the ports below them.
type front struct {
	gone    chan struct{} // closed when the session's container was removed
	leaving string        // what ctrl-C does

	turns *turns // what is known of the agent, for those who wait

	mu     sync.Mutex // guards the fields below; writing to the terminal is what it is for
	screen screen
	json   bool
	ports  map[int]jsonrpc.Port // as last told
	state  session.State
	lined  session.State  // the last state that there was a line for
	branch jsonrpc.Branch // as last told
	done   bool           // nothing more is told of ports

	talk    *talk
	talking bool   // the conversation is shown
	partial string // of a line of the conversation, where only whole ones can stand
}

var _ session.Observer = (*front)(nil)

// newFront returns a front end; leaving says what ctrl-C does.
func newFront(w io.Writer, asJSON, live bool, leaving string) *front {
	return &front{
		gone: make(chan struct{}), turns: newTurns(), talk: newTalk(), ports: map[int]jsonrpc.Port{}, json: asJSON, leaving: leaving,
		screen: newScreen(w, live && !asJSON),
	}
}

// upEvent is a line of `up --json`.
type upEvent struct {
	Type    string           `json:"type"` // "progress", "session", "port", "branch", "message"; "agent", "said" and "turn" of the conversation
	Message string           `json:"message,omitempty"`
	Session *jsonrpc.Session `json:"session,omitempty"`
	Port    *jsonrpc.Port    `json:"port,omitempty"`
	Branch  *jsonrpc.Branch  `json:"branch,omitempty"`

	Agent *jsonrpc.AgentStatus `json:"agent,omitempty"` // how the agent stands; with the type "turn", how its turn ended
	Said  *jsonrpc.Message     `json:"said,omitempty"`  // a message as it stands; what has its id is replaced
}

func (f *front) tell(e upEvent) { f.screen.print(f.text(e)) }

// text is an event as a line.
func (f *front) text(e upEvent) string {
	if !f.json {
		return e.Message
	}
	data, err := json.Marshal(e)
	if err != nil { // structs of strings and numbers always encode
		return err.Error()
	}
	return string(data)
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
	if f.json || worthALine(f.lined, last, i.State) {
		f.lined = i.State
		f.tell(upEvent{Type: "session", Session: &s, Message: stateLine(i)})
	}
}

// worthALine leaves out a session's first way to being connected, which is told otherwise or nobody's news.
func worthALine(lined, last, now session.State) bool {
	switch now {
	case session.Starting:
		return last == session.Connected || last == session.Reconnecting
	case session.Connected:
		return lined != "" && lined != session.Connected
	case session.Reconnecting, session.Lost, session.Stopped, session.Gone:
	}
	return true
}

// stateLine says in one line what has become of a session.
func stateLine(i session.Info) string {
	switch i.State {
	case session.Stopped:
		line := i.Name + " stopped"
		if stopped, ok := errors.AsType[*session.StoppedError](i.Err); ok {
			line += fmt.Sprintf(" (exit code %d)", stopped.ExitCode)
		}
		return line + "; its files are kept, and sketch-ide up resumes it"
	case session.Gone:
		return i.Name + " is gone: its container was removed"
	case session.Reconnecting:
		return fmt.Sprintf("%s: the connection broke (%s); reconnecting, ports are held", i.Name, reason(i.Err))
	case session.Lost:
		return fmt.Sprintf("%s: no connection for long (%s); still trying", i.Name, reason(i.Err))
	case session.Starting, session.Connected:
	}
	return fmt.Sprintf("%s: %s", i.Name, i.State)
}

func reason(err error) string {
	if err == nil {
		return "no reason known"
	}
	return explain(err).Message
}

// Problem tells what the supervisor says.
func (f *front) Problem(_ string, err error) {
	e := explain(err)
	f.line("%s", sentences(e.Message, e.Hint))
}

// BranchChanged tells of new commits and of what keeps them from coming.
func (f *front) BranchChanged(name string, branch session.Branch) {
	defer f.turns.update(func() {}) // for whoever waits for commits
	f.mu.Lock()
	defer f.mu.Unlock()
	last, b := f.branch, wireBranch(name, branch)
	f.branch = b
	if f.done {
		return
	}
	if line := branchLine(last, b); f.json || line != "" {
		f.tell(upEvent{Type: "branch", Branch: &b, Message: line})
	}
}

// branchLine says in one line what is new of a branch; nothing when people need not hear of it.
func branchLine(last, b jsonrpc.Branch) string {
	switch {
	case b.Error != nil && (last.Error == nil || last.Error.Message != b.Error.Message):
		return sentences(b.Error.Message, b.Error.Hint)
	case b.Exists && b.Commit != last.Commit:
		return fmt.Sprintf("%s: %s, the last one %q", b.Name, commits(b.Ahead), b.Subject)
	case b.Behind > last.Behind && b.BaseBranch != "":
		return fmt.Sprintf("%s has %s since %s began", b.BaseBranch, commits(b.Behind), b.Name)
	}
	return othersLine(last.Others, b.Others)
}

// othersLine says what is new of the branches that were made inside.
func othersLine(last, now []jsonrpc.OtherBranch) string {
	var lines []string
	for _, o := range now {
		was := slices.IndexFunc(last, func(l jsonrpc.OtherBranch) bool { return l.Inside == o.Inside })
		switch known := was >= 0; {
		case o.Error != nil && !(known && last[was].Error != nil && last[was].Error.Message == o.Error.Message):
			lines = append(lines, sentences("Branch "+o.Inside+" inside: "+o.Error.Message, o.Error.Hint))
		case o.Commit != "" && !(known && last[was].Commit == o.Commit):
			lines = append(lines, fmt.Sprintf("%s: branch %s inside, at %.12s", o.Name, o.Inside, o.Commit))
		}
	}
	return strings.Join(lines, "\n")
}

func commits(n int) string {
	if n == 1 {
		return "1 commit"
	}
	return fmt.Sprint(n, " commits")
}

// maxLines is how many ports one change tells line by line; the list below has them all, or says how many more.
const maxLines = 20

// PortsChanged tells what is different from the last time.
func (f *front) PortsChanged(i session.Info) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done {
		return
	}
	var lines []string
	tell := func(p jsonrpc.Port) {
		lines = append(lines, f.text(upEvent{Type: "port", Port: &p, Message: eventLine(p)}))
	}
	now := map[int]jsonrpc.Port{}
	for _, p := range wirePorts(i.Forwards) {
		now[p.Number] = p
		if last, known := f.ports[p.Number]; !known || worthTelling(last, p) {
			tell(p)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(f.ports)) {
		if p := f.ports[number]; now[number].Number == 0 {
			p.Status = jsonrpc.PortClosed
			tell(p)
		}
	}
	f.ports = now
	if more := len(lines) - maxLines; more > 0 && !f.json {
		lines = append(lines[:maxLines], fmt.Sprintf("… and %d more ports", more))
	}
	f.screen.update(lines, f.footer(i))
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

// footer is the live list: as many ports as leave the screen readable.
func (f *front) footer(i session.Info) []string {
	if !f.screen.live {
		return nil
	}
	shown := i.Forwards
	room := max(f.screen.height()-10, 5)
	more := len(shown) - room
	if more > 0 {
		shown = shown[:room]
	}
	var b bytes.Buffer
	if len(shown) > 0 {
		if err := portTable(&b, shown); err != nil { // a buffer takes everything
			return nil
		}
	}
	lines, width := splitLines(b.String()), f.screen.width()
	if slices.ContainsFunc(lines, func(line string) bool { return utf8.RuneCountInString(line) > width }) {
		lines = portLines(shown)
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more: sketch-ide ports", more))
	}
	return append(lines, fmt.Sprintf("%s   ctrl-C %s", i.Name, f.leaving))
}

// Write takes log lines, so that they stand above the list like everything else.
func (f *front) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.screen.print(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
