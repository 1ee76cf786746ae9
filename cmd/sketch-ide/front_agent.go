package main

import (
	"io"
	"strings"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

var _ session.AgentObserver = (*front)(nil)

// AgentChanged keeps what is known, and tells it to scripts.
func (f *front) AgentChanged(name string, s conversation.Status) {
	status := wireStatus(name, s)
	if f.json {
		f.mu.Lock()
		if f.talking {
			f.tell(upEvent{Type: "agent", Agent: &status})
		}
		f.mu.Unlock()
	}
	f.turns.statusChanged(status)
}

// MessageChanged shows what is new in the conversation.
func (f *front) MessageChanged(_ string, m conversation.Message) {
	message := wireMessage(m)
	f.mu.Lock()
	switch {
	case !f.talking || m.Seq <= f.talk.after:
	case f.json:
		f.tell(upEvent{Type: "said", Said: &message})
	default:
		f.say(f.talk.add(message))
	}
	f.mu.Unlock()
	f.turns.messageChanged(message)
}

// talkFrom shows the conversation from here on: all that comes after a place.
func (f *front) talkFrom(after int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.talking, f.talk.after = true, after
}

// typed remembers what the user has typed here, so that it is not shown again.
func (f *front) typed(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.talk.mine[strings.TrimSpace(text)] = true
}

// say writes text that may go on in the same line. Above a live list only whole lines can stand. The caller holds mu.
func (f *front) say(text string) {
	if text == "" {
		return
	}
	if !f.screen.live {
		f.screen.midline = !strings.HasSuffix(text, "\n")
		_, _ = io.WriteString(f.screen.w, clean(text)) // a terminal that is gone has nobody to tell
		return
	}
	f.partial += text
	if i := strings.LastIndexByte(f.partial, '\n'); i >= 0 {
		f.screen.update(splitLines(f.partial[:i+1]), f.screen.footer)
		f.partial = f.partial[i+1:]
	}
}

// turnOver says how a turn ended.
func (f *front) turnOver(s jsonrpc.AgentStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tell(upEvent{Type: "turn", Agent: &s, Message: "· " + turnLine(s, time.Duration(0))})
}
