package acp

import (
	"context"
	"slices"
	"sync"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// session is one that this editor has opened.
type session struct {
	server    *Server
	name      string
	folder    string // on the host
	workspace string // the same, inside

	mu        sync.Mutex          // guards the fields below; nothing is called while it is held
	model     string              // chosen by the editor; empty: the default
	prompting int                 // prompts of this editor that run: its own messages are not echoed
	stopped   uint64              // when it was cancelled last, on the server's count of messages
	closed    bool                // the editor has closed it
	status    jsonrpc.AgentStatus // the latest
	failed    error               // the session is over
	changed   chan struct{}       // closed and renewed when status or failed change
	open      string              // id of the question that the next prompt answers
	asked     string              // id of the question that the editor has before its user; empty: none
	withdraw  context.CancelFunc  // takes that question back
	withdrawn int                 // questions that were taken back since the last prompt
	branch    jsonrpc.Branch
	remarks   []string // text that waits for a turn

	// What was sent so far; only the sender's goroutine uses it.
	sent  map[string]*sentMessage
	order []string // the keys of sent, oldest first
	plan  []jsonrpc.TodoItem
	usage jsonrpc.AgentStatus
	ports map[int]int // host ports that were told, by port
}

// sentMessage is how much of a message the editor has.
type sentMessage struct {
	text, thinking int // bytes
	images         int
	tool           jsonrpc.ToolState
	output         string
	done           bool
}

func (s *Server) adopt(info jsonrpc.Session) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.sessions[info.Name]
	if x == nil {
		x = &session{
			server: s, name: info.Name, folder: info.Folder, workspace: info.Workspace,
			changed: make(chan struct{}), sent: map[string]*sentMessage{}, ports: map[int]int{},
		}
		s.sessions[info.Name] = x
	}
	return x
}

// tell sends what the backend told. It is called from the sender's goroutine alone.
func (x *session) tell(ctx context.Context, value any) {
	switch value := value.(type) {
	case jsonrpc.Message:
		x.tellMessage(ctx, value)
	case jsonrpc.AgentStatus:
		x.tellStatus(ctx, value)
	case jsonrpc.Session:
		x.tellSession(value)
	case []jsonrpc.Port:
		x.tellPorts(ctx, value)
	case jsonrpc.Branch:
		x.tellBranch(ctx, value)
	case replayed:
		switch sent := x.remember(value.message.ID); {
		case value.wanted:
			*sent = sentMessage{} // the editor may have it, and asks to have it again
			x.tellMessage(ctx, value.message)
		case value.message.Done:
			sent.done = true
		default:
			x.tellMessage(ctx, value.message)
		}
	case barrier:
		close(value)
	}
	x.flushRemarks(ctx)
}

// barrier is closed when everything before it was sent.
type barrier chan struct{}

// replayed is a message of a conversation from before it was opened here.
type replayed struct {
	message jsonrpc.Message
	wanted  bool // else the editor has it, but for what is still to come
}

func (x *session) update(change func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change()
	close(x.changed)
	x.changed = make(chan struct{})
}

func (x *session) tellSession(info jsonrpc.Session) {
	if info.State == jsonrpc.SessionGone || info.State == jsonrpc.SessionStopped {
		err := &jsonrpc.Error{Kind: jsonrpc.KindSessionGone, Message: "the session " + info.Name + " is " + string(info.State)}
		if info.Error != nil {
			err.Hint = info.Error.Hint
		}
		x.update(func() { x.failed = err })
		x.takeBack("")
		return
	}
	x.update(func() { x.failed = nil })
}

func (x *session) tellStatus(ctx context.Context, status jsonrpc.AgentStatus) {
	if !slices.Equal(status.Todo, x.plan) {
		x.plan = status.Todo
		x.server.update(ctx, x.name, plan(status.Todo))
	}
	if status.ContextSize > 0 && (status.ContextUsed != x.usage.ContextUsed || status.Usage != x.usage.Usage) {
		x.usage = status
		x.server.update(ctx, x.name, usage(status))
	}
	x.update(func() { x.status = status })
}

func plan(todo []jsonrpc.TodoItem) planUpdate {
	status := map[jsonrpc.TodoStatus]string{jsonrpc.TodoPending: "pending", jsonrpc.TodoActive: "in_progress", jsonrpc.TodoDone: "completed"}
	update := planUpdate{Update: "plan", Entries: []planEntry{}}
	for _, item := range todo {
		update.Entries = append(update.Entries, planEntry{Content: item.Text, Priority: "medium", Status: status[item.Status]})
	}
	return update
}

func usage(status jsonrpc.AgentStatus) usageUpdate {
	update := usageUpdate{Update: "usage_update", Used: status.ContextUsed, Size: status.ContextSize}
	if status.Usage.Priced {
		update.Cost = &cost{Amount: status.Usage.Dollars, Currency: "USD"}
	}
	return update
}
