package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// runToaster runs the toaster from when the editor may be told things.
func (s *Server) runToaster(ctx context.Context) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return
	}
	if err := s.toaster.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		s.cfg.Log.Error("toaster", "err", err)
	}
}

// showToast shows a toast in the editor's style. It is called from the toaster's goroutine.
func (s *Server) showToast(toast portToast) {
	switch style := s.style(); {
	case style == NotifyNone:
	case style == NotifyActions && toast.Level == LevelInfo:
		ctx, cancel := context.WithCancel(s.link.ctx)
		s.asked.push(cancel)
		// Ends with the answer, when too many newer toasts are unanswered, or with the connection; it holds nothing else.
		s.tasks.Go(func() {
			defer cancel()
			s.ask(ctx, toast)
		})
	default:
		s.Message(toast.Level, toast.Text)
	}
}

// maxPendingToasts is how many toasts may be unanswered: the editor keeps them for good in its notification centre. The
// oldest is given up then; a click on it does nothing.
const maxPendingToasts = 32

// pendingToasts holds how to give up each of the latest toasts.
type pendingToasts struct {
	mu     sync.Mutex
	cancel []context.CancelFunc // guarded by mu: oldest first; cancelling an answered one is harmless
}

func (p *pendingToasts) push(cancel context.CancelFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancel = append(p.cancel, cancel)
	if len(p.cancel) > maxPendingToasts {
		p.cancel[0]()
		p.cancel = p.cancel[1:]
	}
}

type showMessageRequest struct {
	Type    protocol.MessageType `json:"type"`
	Message string               `json:"message"`
	Actions []ToastAction        `json:"actions"`
}

// ask shows a toast with buttons, waits for as long as it takes, and does what was chosen.
func (s *Server) ask(ctx context.Context, toast portToast) {
	items := toastActions(toast, s.editor.Load())
	params := showMessageRequest{Type: protocol.MessageTypeInfo, Message: toast.Text, Actions: items}
	answer, err := s.request(ctx, params)
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, jsonrpc2.ErrMethodNotFound):
		s.Message(toast.Level, toast.Text)
	case err != nil:
		s.cfg.Log.Debug("ask", "err", err)
	default:
		if item, ok := chosen(items, answer); ok {
			s.complain(s.contain("a toast's action", func() error { return s.perform(ctx, item) }))
		}
	}
}

// request shows a message with buttons, and returns what the editor answered.
func (s *Server) request(ctx context.Context, params showMessageRequest) (answer json.RawMessage, err error) {
	if e := s.editor.Load(); !e.itemProperties && e.sketch == nil {
		params.Actions = onlyTitles(params.Actions)
	}
	_, err = s.link.conn.Call(ctx, protocol.MethodWindowShowMessageRequest, params, &answer)
	return answer, err
}

// perform does what was chosen in a toast, which may be long ago.
func (s *Server) perform(ctx context.Context, item ToastAction) error {
	params := PortParams{Session: item.Session, Port: item.Port}
	port, forwarded := s.forwardedPort(ctx, params)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !forwarded:
		s.Message(LevelWarning, fmt.Sprintf("Port %d is no longer forwarded", item.Port))
	case item.Action == actionOpen:
		return s.browse(ctx, port)
	case item.Action == actionStop:
		return s.cfg.Backend.Unforward(ctx, params)
	}
	return nil
}

func (s *Server) forwardedPort(ctx context.Context, params PortParams) (port Port, forwarded bool) {
	port, err := s.cfg.Backend.Port(ctx, params)
	if err != nil {
		s.cfg.Log.Debug("look up the port of a toast", "err", err)
	}
	return port, err == nil && port.Status == PortForwarded
}

// complain tells the user an error that no request waits for.
func (s *Server) complain(err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	s.Message(LevelError, personText(err))
}
