package loop

import (
	"testing"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
)

var (
	states = []conversation.State{
		conversation.Off, conversation.Idle, conversation.Thinking, conversation.Tools, conversation.Asking, conversation.Retrying,
		conversation.Compacting, conversation.Cancelling,
	}
	events = []event{configured, unconfigured, begin, call, results, ask, reply, lost, again, full, shortened, cancel, end}
)

func TestMachine(t *testing.T) {
	t.Parallel()
	for _, s := range states {
		working := s != conversation.Off && s != conversation.Idle
		for _, e := range events {
			after, err := next(s, e)
			switch {
			case err != nil && after != s:
				t.Errorf("%s in %s fails and changes the state", e, s)
			case working && e == end && after != conversation.Idle, working && e == cancel && after != conversation.Cancelling:
				t.Errorf("%s in %s leads to %s", e, s, after)
			case working && (e == configured || e == unconfigured || e == begin) && err == nil:
				t.Errorf("%s is possible in %s", e, s)
			case !working && (e == cancel || e == end) && err == nil:
				t.Errorf("%s is possible in %s", e, s)
			case s == conversation.Cancelling && err == nil && e != end && after != s:
				t.Errorf("%s leads out of %s", e, s)
			}
		}
	}
	if _, err := next(conversation.Off, begin); err == nil {
		t.Error("a turn begins without a model")
	}
	if after, _ := next(conversation.Asking, reply); after != conversation.Tools {
		t.Errorf("after the answer: %s", after)
	}
}
