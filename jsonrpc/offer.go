package jsonrpc

import (
	"context"
	"encoding/json"

	"go.lsp.dev/protocol"
)

// Offer is a question with buttons, beside what the user does: it may be answered late or never.
type Offer struct {
	Text    string
	Choices []string                                       // the buttons' titles, all different
	Wanted  func(ctx context.Context) bool                 // whether it is to be asked at all, called off the request's path
	Chosen  func(ctx context.Context, choice string) error // not called when the question is dismissed; an error is told
}

// Offer asks an editor that shows toasts with buttons, and nobody else: elsewhere a question would stand in the way of what the user types. It never blocks,
// and may be called while a request is answered.
func (s *Server) Offer(o Offer) {
	if s.style() != NotifyActions {
		return
	}
	ctx, cancel := context.WithCancel(s.link.ctx)
	s.asked.push(cancel)
	// Ends with the answer, when too many newer toasts are unanswered, or with the connection.
	s.tasks.Go(func() {
		defer cancel()
		s.complain(s.contain("an offer", func() error { return s.offer(ctx, o) }))
	})
}

func (s *Server) offer(ctx context.Context, o Offer) error {
	if !o.Wanted(ctx) {
		return nil
	}
	params := showMessageRequest{Type: protocol.MessageTypeInfo, Message: o.Text}
	for _, title := range o.Choices {
		params.Actions = append(params.Actions, ToastAction{Title: title})
	}
	var answer json.RawMessage
	if _, err := s.link.conn.Call(ctx, protocol.MethodWindowShowMessageRequest, params, &answer); err != nil {
		s.cfg.Log.Debug("offer", "err", err)
		return nil
	}
	if item, ok := chosen(params.Actions, answer); ok {
		return o.Chosen(ctx, item.Title)
	}
	return nil
}
