package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// handle is where every message of the editor arrives, in order, on the reader's goroutine. Notifications are done here
// and now; requests are released to run by themselves. A notification never yields an error, since jsonrpc2 would end the
// connection.
func (s *Server) handle(ctx context.Context, req *jsonrpc2.Request) (result any, err error) {
	method, isCall := strings.Clone(req.Method()), req.IsCall()
	err = s.contain(method, func() (err error) {
		result, err = s.dispatch(ctx, req, method, isCall)
		return err
	})
	return s.outcome(method, isCall, result, err)
}

// contain calls the backend, or the host's browser, for an editor: it is the one place where panics are recovered. Every
// such call is made within it, by the dispatch of messages or, where no message waits, by itself.
func (s *Server) contain(what string, do func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			s.cfg.Log.Error("panic", "in", what, "reason", reason, "stack", string(debug.Stack()))
			err = &Error{Kind: KindInternal, Message: fmt.Sprintf("internal error in %s", clip(what, 80))}
		}
	}()
	return do()
}

// dispatch does a message that is for this phase of the lifecycle.
func (s *Server) dispatch(ctx context.Context, req *jsonrpc2.Request, method string, isCall bool) (any, error) {
	if err := s.stage.admit(method, isCall); err != nil {
		return nil, err
	}
	if method != protocol.MethodInitialize {
		s.open()
	}
	if !isCall {
		return nil, s.notified(method, json.RawMessage(req.Params()))
	}
	return s.answer(ctx, req, method)
}

// outcome is what jsonrpc2 is told about a message.
func (s *Server) outcome(method string, isCall bool, result any, err error) (any, error) {
	switch {
	case err == nil && isCall:
		return result, nil
	case isCall:
		s.cfg.Log.Debug("request failed", "method", method, "err", err)
		return nil, wireError(err)
	case err != nil && !errors.Is(err, errIgnored):
		s.cfg.Log.Warn("notification failed", "method", method, "err", err)
	}
	return nil, nil
}

// notified does a notification. It is on the reader's goroutine, so it waits for nothing.
func (s *Server) notified(method string, params json.RawMessage) error {
	switch method {
	case protocol.MethodExit:
		s.link.end(errExit)
	case protocol.MethodCancelRequest:
		s.requests.cancel(memberID(params, "id"))
	case protocol.MethodWindowWorkDoneProgressCancel:
		s.tokens.cancel(memberID(params, "token"))
	case methodFocus:
		s.agents.focus(decoded[FocusParams](params).Focused)
	case protocol.MethodWorkspaceDidChangeConfiguration:
		return s.configure(member(params, "settings"))
	case protocol.MethodWorkspaceDidChangeWorkspaceFolders:
		s.changeFolders(member(params, "event"))
	}
	// The rest is accepted and ignored: initialized, $/setTrace, documents that were never asked for, and whatever
	// comes in later versions.
	return nil
}

// answer does a request. Known methods that take time run beside the reader, which goes on at Async.
func (s *Server) answer(ctx context.Context, req *jsonrpc2.Request, method string) (any, error) {
	switch method {
	case protocol.MethodInitialize:
		return s.initialize(json.RawMessage(req.Params()))
	case protocol.MethodShutdown:
		s.outbox.shut()
		return nil, nil
	}
	c, isCommand := s.commands[method]
	if !isCommand && method != protocol.MethodWorkspaceExecuteCommand {
		return nil, jsonrpc2.Errorf(jsonrpc2.MethodNotFound, "method %q not found", clip(method, 80))
	}
	// Not of the request's own context: jsonrpc2 recycles that at return, and a goroutine that context.WithCancel starts
	// on it may come later, and panics (TestTooManyRequests).
	running, cancel := context.WithCancel(jsonrpc2.DetachContext(ctx))
	defer cancel()
	// Before Async, so that a cancellation that comes next finds it.
	if !s.requests.add(req.ID(), cancel) {
		return nil, &Error{Kind: KindBusy, Message: "too many requests at once", Retryable: true}
	}
	defer s.requests.remove(req.ID())
	jsonrpc2.Async(ctx) // from here on the request owns its memory

	params := json.RawMessage(req.Params())
	call := execution{command: c, arguments: params, token: member(params, memberWorkDoneToken)}
	if !isCommand {
		var err error
		if call, err = s.decodeExecution(params); err != nil {
			return nil, err
		}
	}
	result, err := s.execute(running, call)
	err = cancelledBy(running, err)
	s.say(result, err)
	return result, err
}
