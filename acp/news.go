package acp

import (
	"context"
	"slices"
	"sync"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// How much waits for an editor that reads slowly; then the oldest is dropped. What a container says decides how large a message is.
const (
	maxNews      = 4096
	maxNewsBytes = 64 << 20
)

// The keys of what there is one of in a session.
const (
	keySession = "session"
	keyPorts   = "ports"
	keyBranch  = "branch"
	keyAgent   = "agent"
	keyBarrier = "barrier " // and a number
)

// item is something that the backend told; newer state with the same key replaces what waits, in its place.
type item struct {
	key, session string
	value        any
}

// news holds what the backend told until it is sent. Posting never blocks.
type news struct {
	wake chan struct{} // buffered, 1: queue has something

	mu    sync.Mutex
	queue []item // guarded by mu
	bytes int    // guarded by mu: of the queue, about
}

func newNews() *news { return &news{wake: make(chan struct{}, 1)} }

func (n *news) post(key, session string, value any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := slices.IndexFunc(n.queue, func(other item) bool { return other.key == key && other.session == session }); i >= 0 {
		n.bytes += size(value) - size(n.queue[i].value)
		if key != keyAgent {
			n.queue[i].value = value
			return
		}
		n.queue = slices.Delete(n.queue, i, i+1) // a status is only true after the messages that were told before it
	} else {
		n.bytes += size(value)
	}
	n.queue = append(n.queue, item{key, session, value})
	for len(n.queue) > maxNews || n.bytes > maxNewsBytes {
		if !n.drop() {
			break
		}
	}
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// drop makes room: the oldest item goes that nobody waits for. The caller holds mu.
func (n *news) drop() bool {
	i := slices.IndexFunc(n.queue, func(it item) bool { _, waited := it.value.(barrier); return !waited })
	if i < 0 {
		return false
	}
	n.bytes -= size(n.queue[i].value)
	n.queue = slices.Delete(n.queue, i, i+1)
	return true
}

// size is about how many bytes a value takes: only messages can be large.
func size(value any) int {
	var m jsonrpc.Message
	switch value := value.(type) {
	case jsonrpc.Message:
		m = value
	case replayed:
		m = value.message
	default:
		return 0
	}
	total := len(m.Text) + len(m.Thinking)
	for _, image := range m.Images {
		total += len(image.Data)
	}
	if m.Tool != nil {
		total += len(m.Tool.Input) + len(m.Tool.Output) + len(m.Tool.Diff)
	}
	return total
}

func (n *news) take() []item {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.queue
	n.queue, n.bytes = nil, 0
	return taken
}

// SessionChanged takes the state of a session.
func (s *Server) SessionChanged(session jsonrpc.Session) {
	s.news.post(keySession, session.Name, session)
}

// PortsChanged takes the ports of a session.
func (s *Server) PortsChanged(session string, _ bool, ports []jsonrpc.Port) {
	s.news.post(keyPorts, session, slices.Clone(ports))
}

// BranchChanged takes the state of a session's branch.
func (s *Server) BranchChanged(branch jsonrpc.Branch) { s.news.post(keyBranch, branch.Session, branch) }

// AgentChanged takes how a session's agent stands.
func (s *Server) AgentChanged(status jsonrpc.AgentStatus) {
	s.news.post(keyAgent, status.Session, status)
}

// MessageChanged takes a message of a conversation as it stands.
func (s *Server) MessageChanged(session string, message jsonrpc.Message) {
	s.news.post("message "+message.ID, session, message)
}

// Message takes something that the user should know; the editor's log is standard error.
func (s *Server) Message(_ jsonrpc.Level, text string) { s.cfg.Log.Info("message", "text", text) }

// Offer takes a question of sketch-ide's own, for which ACP has no place outside of a session.
func (s *Server) Offer(jsonrpc.Offer) {}

// send hands what the backend tells to the sessions that this editor has opened, until ctx ends.
func (s *Server) send(ctx context.Context) {
	for {
		select {
		case <-s.news.wake:
		case <-ctx.Done():
			return
		}
		for _, it := range s.news.take() {
			if x := s.opened(it.session); x != nil {
				x.tell(ctx, it.value)
			}
		}
	}
}

func (s *Server) opened(name string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[name]
}
