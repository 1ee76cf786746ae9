package jsonrpc

import (
	"context"
	"slices"

	"go.lsp.dev/protocol"
)

// maxChoices is how many buttons a question gets; editors show no more in a row.
const maxChoices = 6

// askUser shows a question. The returned function gives it up.
func (s *Server) askUser(session, id string, question Question) context.CancelFunc {
	text := clip("Agent asks: "+plainText(question.Text), maxMessage)
	if s.style() != NotifyActions || len(question.Options) == 0 || len(question.Options) > maxChoices {
		s.Message(LevelInfo, text)
		return func() {}
	}
	ctx, cancel := context.WithCancel(s.link.ctx)
	s.asked.push(cancel)
	// Ends with the answer, here or elsewhere, when too many newer toasts are unanswered, or with the connection.
	s.tasks.Go(func() {
		defer cancel()
		s.awaitAnswer(ctx, session, id, text, question.Options)
	})
	return cancel
}

func (s *Server) awaitAnswer(ctx context.Context, session, id, text string, options []string) {
	var items []ToastAction
	for _, option := range options {
		items = append(items, ToastAction{Title: clip(plainText(option), 80)})
	}
	answer, err := s.request(ctx, showMessageRequest{Type: protocol.MessageTypeInfo, Message: text, Actions: items})
	if err != nil || ctx.Err() != nil {
		s.cfg.Log.Debug("ask", "err", err)
		return
	}
	if item, ok := chosen(items, answer); ok {
		i := slices.Index(items, item)
		s.complain(s.contain("an answer", func() error {
			return s.cfg.Backend.Answer(ctx, AnswerParams{Session: session, ID: id, Answer: options[i]})
		}))
	}
}
