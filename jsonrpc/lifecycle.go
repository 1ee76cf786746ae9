package jsonrpc

import (
	"errors"
	"sync"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// phase is where the lifecycle of the LSP specification stands ("Lifecycle Messages").
type phase int

const (
	phaseNew     phase = iota // before initialize
	phaseRunning              // after it
	phaseDown                 // after shutdown
)

// Reasons for which Serve ends.
var (
	errExit       = errors.New("exit")
	errEditorDied = errors.New("the editor's process ended")
)

// errIgnored says that a notification is not for this phase.
var errIgnored = errors.New("ignored")

// lifecycle holds the phase; admit is the only place where it changes.
type lifecycle struct {
	mu    sync.Mutex
	phase phase // guarded by mu
}

// admit decides whether a message is for this phase, and enters the next.
func (l *lifecycle) admit(method string, isCall bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case method == protocol.MethodExit && !isCall:
		return nil
	case !isCall && l.phase != phaseRunning:
		return errIgnored
	case !isCall:
		return nil
	case l.phase == phaseDown:
		return jsonrpc2.NewError(jsonrpc2.InvalidRequest, "shutting down")
	case l.phase == phaseNew && method != protocol.MethodInitialize:
		return jsonrpc2.NewError(jsonrpc2.ServerNotInitialized, "not initialized")
	case l.phase == phaseNew:
		l.phase = phaseRunning
	case method == protocol.MethodInitialize:
		return jsonrpc2.NewError(jsonrpc2.InvalidRequest, "already initialized")
	case method == protocol.MethodShutdown:
		l.phase = phaseDown
	}
	return nil
}

// exitCode is 0 only after a shutdown request.
func (l *lifecycle) exitCode() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phase == phaseDown {
		return 0
	}
	return 1
}
