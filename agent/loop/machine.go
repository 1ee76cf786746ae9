package loop

import (
	"fmt"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
)

// event is something that changes what the agent is doing.
type event string

const (
	configured   event = "configured"   // there is a model
	unconfigured event = "unconfigured" // there is none any more
	begin        event = "begin"        // a turn
	call         event = "call"         // the model wants tools to be run
	results      event = "results"      // all tools have ended
	ask          event = "ask"          // a tool asks the user
	reply        event = "reply"        // no tool waits for an answer any more
	lost         event = "lost"         // the model is not to be had
	again        event = "again"        // it is asked again
	full         event = "full"         // the context has to be shortened
	shortened    event = "shortened"    // it is
	cancel       event = "cancel"       // the user ends the turn
	end          event = "end"          // of the turn
)

// transitions is the whole machine. While a turn is being cancelled, what its parts still do changes nothing.
var transitions = map[conversation.State]map[event]conversation.State{
	conversation.Off: {
		configured: conversation.Idle, unconfigured: conversation.Off,
	},
	conversation.Idle: {
		configured: conversation.Idle, unconfigured: conversation.Off, begin: conversation.Thinking,
	},
	conversation.Thinking: {
		call: conversation.Tools, lost: conversation.Retrying, full: conversation.Compacting,
		cancel: conversation.Cancelling, end: conversation.Idle,
	},
	conversation.Tools: {
		results: conversation.Thinking, ask: conversation.Asking, reply: conversation.Tools,
		cancel: conversation.Cancelling, end: conversation.Idle,
	},
	conversation.Asking: {
		ask: conversation.Asking, reply: conversation.Tools, results: conversation.Thinking,
		cancel: conversation.Cancelling, end: conversation.Idle,
	},
	conversation.Retrying: {
		lost: conversation.Retrying, again: conversation.Thinking, full: conversation.Compacting,
		cancel: conversation.Cancelling, end: conversation.Idle,
	},
	conversation.Compacting: {
		lost: conversation.Retrying, shortened: conversation.Thinking,
		cancel: conversation.Cancelling, end: conversation.Idle,
	},
	conversation.Cancelling: {
		call: conversation.Cancelling, results: conversation.Cancelling, ask: conversation.Cancelling, reply: conversation.Cancelling,
		lost: conversation.Cancelling, again: conversation.Cancelling, full: conversation.Cancelling, shortened: conversation.Cancelling,
		cancel: conversation.Cancelling, end: conversation.Idle,
	},
}

// next is the state after an event, or an error where the event cannot be.
func next(state conversation.State, e event) (conversation.State, error) {
	after, ok := transitions[state][e]
	if !ok {
		return state, fmt.Errorf("the agent cannot %q while it is %q", e, state)
	}
	return after, nil
}

// to changes the state: the only place where it is changed. An event that cannot be leaves it, and ends the turn by its error.
func (l *Loop) to(e event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.toLocked(e)
}

func (l *Loop) toLocked(e event) error {
	after, err := next(l.state, e)
	if err != nil {
		l.cfg.Log.Error("impossible change of state", "err", err)
		return err
	}
	l.state = after
	l.cfg.Conversation.SetStatus(func(s *conversation.Status) { s.State, s.Queued = after, l.queued() })
	return nil
}
