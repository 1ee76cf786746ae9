package acp

import (
	"context"
	"slices"
	"sync"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// maxNews is how many things wait for an editor that reads slowly; then the oldest is dropped.
const maxNews = 4096

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
}

func newNews() *news { return &news{wake: make(chan struct{}, 1)} }

func (n *news) post(key, session string, value any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := slices.IndexFunc(n.queue, func(other item) bool { return other.key == key && other.session == session }); i >= 0 {
		if key != keyAgent {
			n.queue[i].value = value
			return
		}
		n.queue = slices.Delete(n.queue, i, i+1) // a status is only true after the messages that were told before it
	}
	if len(n.queue) >= maxNews {
		n.queue = slices.Delete(n.queue, 0, 1)
	}
	n.queue = append(n.queue, item{key, session, value})
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *news) take() []item {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.queue
	n.queue = nil
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
