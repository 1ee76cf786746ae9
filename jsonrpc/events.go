package jsonrpc

import (
	"slices"

	"go.lsp.dev/protocol"
)

// Level is how serious a message to the user is; the values are the MessageType of the LSP specification.
type Level int

// The levels.
const (
	LevelError   Level = 1
	LevelWarning Level = 2
	LevelInfo    Level = 3
	LevelLog     Level = 4
)

// Limits of what a message may say, in characters.
const (
	maxMessage = 500
	maxLog     = 8000
)

// SessionChanged tells the editor the full state of a session; one that does not know the extension is told in words what
// its user should know. It never blocks and may be called from any goroutine, also before Serve: an editor that reads
// slowly gets the latest state. For one session the calls must come in order.
func (s *Server) SessionChanged(session Session) {
	s.outbox.post(event{key: "session " + session.Name, method: methodSession, params: session, extension: true})
	s.news.changed(session)
	s.agents.sessionChanged(session)
	if session.State == SessionStopped || session.State == SessionGone {
		s.mu.Lock()
		delete(s.known, session.Name)
		s.mu.Unlock()
	}
	switch session.State {
	case SessionStopped:
		s.toaster.Rest(session.Name)
	case SessionGone:
		s.toaster.Forget(session.Name)
	case SessionStarting, SessionConnected, SessionReconnecting, SessionLost:
	}
}

// PortsChanged tells the editor the full state of a session's ports; owner says that this window owns the session and
// therefore shows the toasts. It never blocks and may be called from any goroutine, also before Serve; for one session
// the calls must come in order. The caller must not change what ports points to afterwards.
func (s *Server) PortsChanged(session string, owner bool, ports []Port) {
	ports = slices.Clone(ports)
	s.mu.Lock()
	events := portEvents(s.known[session], ports)
	s.known[session] = ports
	s.mu.Unlock()
	state := PortsNotification{Session: session, Owner: owner, Ports: ports}
	s.outbox.post(event{key: "ports " + session, method: methodPorts, params: state, extension: true})
	for _, e := range events {
		e.Session = session
		s.outbox.post(event{method: methodPortEvent, params: e, extension: true})
	}
	s.toaster.Observe(session, owner, ports)
}

// BranchChanged tells the editor the full state of a session's branch. It never blocks and may be called from any goroutine, also before Serve; for
// one session the calls must come in order.
func (s *Server) BranchChanged(branch Branch) {
	s.outbox.post(event{key: "branch " + branch.Session, method: methodBranch, params: branch, extension: true})
}

// AgentChanged tells the editor how a session's agent stands. It never blocks and may be called from any goroutine, also before Serve; for one
// session the calls must come in order.
func (s *Server) AgentChanged(status AgentStatus) {
	s.outbox.post(event{key: "agent " + status.Session, method: methodAgent, params: status, extension: true})
	s.agents.statusChanged(status)
}

// MessageChanged tells the editor one message of a conversation as it stands. It never blocks and may be called from any goroutine, also before Serve:
// an editor that reads slowly gets the latest state of each message. For one message the calls must come in order.
func (s *Server) MessageChanged(session string, message Message) {
	s.outbox.post(event{
		key: "message " + session + " " + message.ID, method: methodMessage, extension: true,
		params: MessageNotification{Session: session, Message: message},
	})
	s.agents.messageChanged(session, message)
}

// portEvents finds what happened between two states.
func portEvents(before, after []Port) []PortEventNotification {
	old := make(map[int]Port, len(before))
	for _, port := range before {
		old[port.Number] = port
	}
	var events []PortEventNotification
	for _, port := range after {
		was, known := old[port.Number]
		delete(old, port.Number)
		if what := portEvent(was, known && isOpen(was), port); what != "" {
			events = append(events, PortEventNotification{Type: what, Port: port})
		}
	}
	for _, port := range before {
		if _, vanished := old[port.Number]; vanished && isOpen(port) {
			port.Status = PortClosed
			events = append(events, PortEventNotification{Type: PortEventClosed, Port: port})
		}
	}
	return events
}

// isOpen reports whether something listens, or did when it was last seen. A port can be forwarded before that: on request,
// or because the settings name it.
func isOpen(port Port) bool { return port.Status != PortClosed && port.Generation != 0 }

func portEvent(was Port, wasOpen bool, is Port) PortEventType {
	switch {
	case isOpen(is) && (!wasOpen || was.Generation != is.Generation):
		return PortEventOpened
	case !isOpen(is) && wasOpen:
		return PortEventClosed
	case isOpen(is) && (was.Status != is.Status || was.HostPort != is.HostPort):
		return PortEventChanged
	}
	return ""
}

// Message tells the user something: errors and warnings and information as a message, LevelLog into the editor's log.
// It never blocks and may be called from any goroutine, also before Serve.
func (s *Server) Message(level Level, text string) {
	if level == LevelLog {
		params := protocol.LogMessageParams{Type: protocol.MessageTypeLog, Message: clip(plainLines(text), maxLog)}
		s.outbox.post(event{method: protocol.MethodWindowLogMessage, params: &params})
		return
	}
	params := protocol.ShowMessageParams{Type: protocol.MessageType(level), Message: clip(plainText(text), maxMessage)}
	s.outbox.post(event{method: protocol.MethodWindowShowMessage, params: &params})
}
