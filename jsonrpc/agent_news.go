package jsonrpc

import (
	"maps"
	"strings"
	"sync"
)

// agentNews tells the user of agents by standard messages: progress while one works, a toast when its turn is over or when it asks, and no toast while
// the window has the focus. It is driven by full states, of which the latest counts; its callers never wait.
type agentNews struct {
	wake chan struct{} // buffered, 1: notes have changed

	mu      sync.Mutex
	focused bool                  // guarded by mu: the editor says that its window has the focus
	notes   map[string]*agentNote // guarded by mu: what is known, by session
}

// agentNote is what is known of one session's agent.
type agentNote struct {
	owner, ended bool // of the session
	known        bool // status is set
	status       AgentStatus
	said         string              // first line of what the agent said last
	saidIn       int                 // the turn in which it did
	doing        string              // title of the tool that runs
	questions    map[string]Question // by message, latest state; those without need of an answer go once they were looked at
}

// maxQuestions is how many questions of a session are remembered. The agent asks one at a time.
const maxQuestions = 16

func newAgentNews() *agentNews {
	return &agentNews{wake: make(chan struct{}, 1), notes: make(map[string]*agentNote)}
}

// change changes what is known of a session.
func (n *agentNews) change(session string, change func(*agentNote)) {
	n.mu.Lock()
	note := n.notes[session]
	if note == nil {
		note = &agentNote{questions: make(map[string]Question)}
		n.notes[session] = note
	}
	change(note)
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *agentNews) sessionChanged(s Session) {
	n.change(s.Name, func(note *agentNote) {
		note.owner = s.Owner
		note.ended = s.State == SessionStopped || s.State == SessionGone
	})
}

func (n *agentNews) statusChanged(status AgentStatus) {
	n.change(status.Session, func(note *agentNote) { note.status, note.known = status, true })
}

func (n *agentNews) messageChanged(session string, m Message) {
	switch {
	case m.Kind == MessageAssistant && firstLine(m.Text) != "":
		n.change(session, func(note *agentNote) { note.said, note.saidIn = firstLine(m.Text), m.Turn })
	case m.Kind == MessageTool && m.Tool != nil:
		n.change(session, func(note *agentNote) {
			if note.doing = ""; m.Tool.State == ToolRunning {
				note.doing = firstLine(m.Tool.Title)
			}
		})
	case m.Kind == MessageQuestion && m.Question != nil:
		n.change(session, func(note *agentNote) {
			if _, known := note.questions[m.ID]; known || !m.Question.Answered && len(note.questions) < maxQuestions {
				note.questions[m.ID] = *m.Question
			}
		})
	}
}

// focus takes what the editor says of its window.
func (n *agentNews) focus(focused bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.focused = focused
}

// look returns what is known now, to be kept by the caller.
func (n *agentNews) look() (notes map[string]agentNote, focused bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	notes = make(map[string]agentNote, len(n.notes))
	for name, note := range n.notes {
		kept := *note
		kept.questions = maps.Clone(note.questions)
		notes[name] = kept
		maps.DeleteFunc(note.questions, func(_ string, q Question) bool { return q.Answered })
		if note.ended {
			delete(n.notes, name)
		}
	}
	return notes, n.focused
}

// firstLine is the first line of a text that says something, without Markdown's marks at its beginning.
func firstLine(text string) string {
	for line := range strings.Lines(text[:min(len(text), 4096)]) {
		if line = strings.Trim(plainText(line), "#*_>` \t"); line != "" {
			return line
		}
	}
	return ""
}
