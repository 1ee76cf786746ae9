package jsonrpc

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// blip is how long a session may be reconnecting or stopped before that is told: most losses of a connection are over by
// then, a container that is restarted runs again, and one that is removed is.
const blip = 2 * time.Second

// askedGrace is how long after its answer a request still explains what happens to its session: the news of a failure
// can come later than the failure.
const askedGrace = 2 * time.Second

// maxAsked is how many requests that change sessions are remembered; most of the time there is none.
const maxAsked = 2 * maxInFlight

// worry is what a user who is told nothing else believes of a session.
type worry int

const (
	worryNone    worry = iota // that it works
	worryLost                 // that it is being reconnected
	worryStopped              // that its container does not run
	worryGone                 // that it is over
)

// sessionNews decides what the user is told about sessions: once per transition, and nothing that was asked for through
// this server, whose answer says it. It is driven by full states, so that repeated ones change nothing.
type sessionNews struct {
	tell func(level Level, text string) // must not block
	log  func(text string)              // the details; must not block

	mu       sync.Mutex
	sessions map[string]*sessionNote // guarded by mu: by name
	window   string                  // guarded by mu: the session that was started last
	asked    []*asked                // guarded by mu: oldest first
}

// sessionNote is what is known of one session.
type sessionNote struct {
	latest Session
	worry  worry
	timer  *time.Timer // tells of the latest state when it has lasted for blip; nil: nothing to tell
}

// asked is a request for something that changes the state of a session.
type asked struct {
	name, folder string    // the session, or the folder that is started
	until        time.Time // zero while the request runs
}

func newSessionNews(tell func(Level, string), log func(string)) *sessionNews {
	return &sessionNews{tell: tell, log: log, sessions: make(map[string]*sessionNote)}
}

// changed takes the full state of a session.
func (n *sessionNews) changed(session Session) {
	n.mu.Lock()
	defer n.mu.Unlock()
	note := n.sessions[session.Name]
	if note == nil {
		note = &sessionNote{}
		n.sessions[session.Name] = note
	}
	before := note.latest.State
	note.latest = session
	if before == session.State {
		return
	}
	if text := details(before, session); text != "" {
		n.log(text)
	}
	if note.timer != nil {
		note.timer.Stop()
		note.timer = nil
	}
	switch session.State {
	case SessionStarting:
	case SessionConnected:
		n.recovered(note)
	case SessionReconnecting:
		if note.worry == worryNone {
			n.await(note, worryLost)
		}
	case SessionLost:
		n.worsened(note, worryLost)
	case SessionStopped:
		n.await(note, worryStopped)
	case SessionGone:
		n.worsened(note, worryGone)
	}
}

// await tells of the latest state when it is no blip. The caller holds mu.
func (n *sessionNews) await(note *sessionNote, now worry) {
	if n.expected(note.latest) {
		note.worry = now // the answer says it, though the request may have ended when the blip is over
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(blip, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if note.timer == timer {
			note.timer = nil
			n.worsened(note, now)
		}
	})
	note.timer = timer
}

// worsened tells what the user does not know yet. The caller holds mu.
func (n *sessionNews) worsened(note *sessionNote, now worry) {
	if note.worry == now {
		return
	}
	note.worry = now
	if !n.expected(note.latest) {
		n.tell(LevelWarning, worryText(now, note.latest))
	}
}

// recovered tells a user who was told otherwise that a session works. The caller holds mu.
func (n *sessionNews) recovered(note *sessionNote) {
	was := note.worry
	note.worry = worryNone
	if was != worryNone && was != worryGone && !n.expected(note.latest) {
		n.tell(LevelInfo, fitting(note.latest.Name+" is back"))
	}
}

// expected reports whether somebody asked this server for what happens to a session. The caller holds mu.
func (n *sessionNews) expected(session Session) bool {
	for _, request := range n.asked {
		current := request.until.IsZero() || time.Now().Before(request.until)
		if current && (request.name == session.Name || contains(session.Folder, request.folder)) {
			return true
		}
	}
	return false
}

// contains reports whether folder, if there is one, is root or in it.
func contains(root, folder string) bool {
	if root == "" || folder == "" {
		return false
	}
	relative, err := filepath.Rel(root, folder)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// starting notes that a session is being started for a folder. The returned function takes the outcome.
func (n *sessionNews) starting(folder string) (ended func(Session, error)) {
	if real, err := filepath.EvalSymlinks(folder); err == nil { // as the backend names folders, if it is there
		folder = real
	}
	request := n.ask(asked{folder: folder})
	return func(session Session, err error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		request.until = time.Now()
		if err != nil {
			request.until = request.until.Add(askedGrace)
			return
		}
		n.window = session.Name
		if note := n.sessions[session.Name]; note != nil && session.State == SessionConnected {
			note.worry = worryNone // the answer says so, though the news may come after it
		}
	}
}

// stopping notes that a session is being stopped, the window's if it is not named. The returned function says that this
// has ended.
func (n *sessionNews) stopping(name string) (ended func()) {
	n.mu.Lock()
	if name == "" {
		name = n.window
	}
	n.mu.Unlock()
	request := n.ask(asked{name: name})
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		request.until = time.Now().Add(askedGrace)
	}
}

func (n *sessionNews) ask(request asked) *asked {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = slices.DeleteFunc(n.asked, func(a *asked) bool { return !a.until.IsZero() && time.Now().After(a.until) })
	if len(n.asked) >= maxAsked {
		n.asked = n.asked[1:]
	}
	n.asked = append(n.asked, &request)
	return &request
}

// close makes sure that nothing is told any more by itself.
func (n *sessionNews) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, note := range n.sessions {
		if note.timer != nil {
			note.timer.Stop()
			note.timer = nil
		}
	}
}

// details is what the log says of a transition; nothing of a normal start.
func details(before SessionState, session Session) string {
	isStart := before == "" || before == SessionStarting
	if session.State == SessionStarting || session.State == SessionConnected && isStart {
		return ""
	}
	text := fmt.Sprintf("%s: %s", session.Name, session.State)
	if e := session.Error; e != nil {
		text += ": " + e.Message
		if e.Hint != "" {
			text += ". " + e.Hint
		}
	}
	return text
}

// worryText says in one line of at most 60 characters what happened to a session.
func worryText(now worry, session Session) string {
	switch now {
	case worryStopped:
		return stoppedText(session)
	case worryGone:
		return fitting(session.Name + " was removed")
	case worryNone, worryLost:
	}
	return fitting(session.Name+" lost: reconnecting", session.Name+" lost")
}

func stoppedText(session Session) string {
	const hint = ". sketch.start resumes"
	text := session.Name + " stopped"
	if session.ExitCode == nil {
		return fitting(text+hint, text)
	}
	return fitting(fmt.Sprintf("%s (exit %d)%s", text, *session.ExitCode, hint), text+hint, text)
}

// fitting is the first text that is not too long for a toast; the last one is cut.
func fitting(texts ...string) string {
	last := len(texts) - 1
	for _, text := range texts[:last] {
		if len([]rune(text)) <= maxToast {
			return text
		}
	}
	return clip(texts[last], maxToast)
}
