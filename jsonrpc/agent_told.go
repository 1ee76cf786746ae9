package jsonrpc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

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
