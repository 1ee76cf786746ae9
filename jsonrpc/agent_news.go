package jsonrpc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.lsp.dev/protocol"
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

// agentTold is what the user was told of one session's agent. It belongs to the goroutine of runAgentNews.
type agentTold struct {
	known    bool
	status   AgentStatus
	asked    map[string]context.CancelFunc // by message; a question that was told, and how to give up its toast
	progress *progress                     // while there is one
	work     string                        // what progress says
	end      func(error)                   // of progress
}

// agentSettle is how long what changes together may take, such as a question and the state of asking.
const agentSettle = 50 * time.Millisecond

// runAgentNews tells from when the editor may be told things.
func (s *Server) runAgentNews(ctx context.Context) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return
	}
	told := make(map[string]*agentTold)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.agents.wake:
		}
		timer := time.NewTimer(agentSettle)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		notes, focused := s.agents.look()
		for _, name := range slices.Sorted(maps.Keys(notes)) {
			t := told[name]
			if t == nil {
				t = &agentTold{asked: make(map[string]context.CancelFunc)}
				told[name] = t
			}
			s.tellAgent(name, notes[name], t, focused)
			if notes[name].ended {
				delete(told, name)
			}
		}
	}
}

// tellAgent compares what is with what was told.
func (s *Server) tellAgent(name string, note agentNote, told *agentTold, focused bool) {
	defer s.showWork(name, note, told)
	if note.owner && told.known && !focused && turnOver(told.status, note.status) {
		s.tellOutcome(note)
	}
	if note.known {
		told.known, told.status = true, note.status
	}
	for _, id := range slices.Sorted(maps.Keys(note.questions)) {
		question := note.questions[id]
		giveUp, asked := told.asked[id]
		switch {
		case question.Answered || note.ended:
			if asked {
				giveUp()
				delete(told.asked, id)
			}
		case !asked && note.owner:
			told.asked[id] = func() {}
			if !focused && s.style() != NotifyNone {
				told.asked[id] = s.askUser(name, id, question)
			}
		}
	}
}

// isBusy reports whether a turn is under way.
func isBusy(s AgentStatus) bool { return s.State != AgentIdle && s.State != AgentOff && s.State != "" }

func turnOver(was, is AgentStatus) bool {
	return !isBusy(is) && (isBusy(was) || is.Turn > was.Turn)
}

// tellOutcome is the toast at the end of a turn. What the user has cancelled is no news.
func (s *Server) tellOutcome(note agentNote) {
	status := note.status
	switch status.Outcome {
	case TurnDone:
		text := "Agent done"
		if n := len(status.Uncommitted); n > 0 {
			text = fmt.Sprintf("Agent done, %d uncommitted", n)
		}
		if note.said != "" && note.saidIn == status.Turn {
			text += ": " + note.said
		}
		if s.style() != NotifyNone {
			s.Message(LevelInfo, fitting(text))
		}
	case TurnBudget:
		s.Message(LevelWarning, "Agent stopped: its budget is used up")
	case TurnFailed:
		text := "Agent failed"
		if status.Error != nil {
			text += ": " + status.Error.Message
		}
		s.Message(LevelWarning, text)
	case TurnCancelled:
	}
}

// maxChoices is how many buttons a question gets; editors show no more in a row.
const maxChoices = 6

// askUser shows a question. The returned function gives it up.
func (s *Server) askUser(session, id string, question Question) context.CancelFunc {
	text := clip("Agent asks: "+plainText(question.Text), maxMessage)
	if s.style() != NotifyActions || len(question.Options) == 0 || len(question.Options) > maxChoices {
		s.Message(LevelInfo, text)
		return func() {}
	}
	ctx, cancel := context.WithCancel(s.link.ctx)
	s.asked.push(cancel)
	// Ends with the answer, here or elsewhere, when too many newer toasts are unanswered, or with the connection.
	s.tasks.Go(func() {
		defer cancel()
		s.awaitAnswer(ctx, session, id, text, question.Options)
	})
	return cancel
}

func (s *Server) awaitAnswer(ctx context.Context, session, id, text string, options []string) {
	var items []ToastAction
	for _, option := range options {
		items = append(items, ToastAction{Title: clip(plainText(option), 80)})
	}
	answer, err := s.request(ctx, showMessageRequest{Type: protocol.MessageTypeInfo, Message: text, Actions: items})
	if err != nil || ctx.Err() != nil {
		s.cfg.Log.Debug("ask", "err", err)
		return
	}
	if item, ok := chosen(items, answer); ok {
		i := slices.Index(items, item)
		s.complain(s.contain("an answer", func() error {
			return s.cfg.Backend.Answer(ctx, AnswerParams{Session: session, ID: id, Answer: options[i]})
		}))
	}
}

// cancelPatience bounds the cancellation of a turn by its progress.
const cancelPatience = 10 * time.Second

// showWork shows progress while a turn is under way.
func (s *Server) showWork(name string, note agentNote, told *agentTold) {
	busy := note.owner && !note.ended && note.known && isBusy(note.status)
	if !busy {
		if end := told.end; end != nil {
			told.progress, told.end = nil, nil
			// Ends when the editor was told, or with the connection.
			s.tasks.Go(func() { end(nil) })
		}
		return
	}
	if told.end == nil {
		told.progress = newProgress(s.outbox, "Agent")
		told.progress.prefix, told.progress.done = "sketch-agent", "done"
		told.work = workText(note)
		told.progress.Report(told.work, -1)
		told.end = s.attachProgress(told.progress, nil, func() { s.cancelTurn(name) })
		return
	}
	if work := workText(note); work != told.work {
		told.work = work
		told.progress.Report(work, -1)
	}
}

// workText says what an agent does.
func workText(note agentNote) string {
	if note.doing != "" && note.status.State == AgentTools {
		return note.doing
	}
	return string(note.status.State)
}

// cancelTurn is what the button of a progress does. It is called by the reader, which goes on.
func (s *Server) cancelTurn(session string) {
	// Ends with the backend's answer, soon after its context at the latest.
	s.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(s.link.ctx, cancelPatience)
		defer cancel()
		s.complain(s.contain("cancel of a turn", func() error { return s.cfg.Backend.Cancel(ctx, CancelParams{Session: session}) }))
	})
}
