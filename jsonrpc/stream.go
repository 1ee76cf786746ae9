package jsonrpc

import (
	"context"
	"log/slog"

	"go.lsp.dev/jsonrpc2"
)

// stream is the [jsonrpc2.Stream] between the connection and the editor. In a good frame it answers by itself what is
// not a message, so that the connection lives: jsonrpc2 would end it.
type stream struct {
	in  *frameReader
	out *frameWriter
	log *slog.Logger
	end context.CancelCauseFunc // ends Serve
}

var _ jsonrpc2.Stream = (*stream)(nil)

// Read returns the next message. Any error ends the connection, and Serve with it.
func (s *stream) Read(ctx context.Context) (jsonrpc2.Message, int64, error) {
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, 0, err
		}
		body, err := s.in.next()
		if err != nil {
			s.end(err)
			return nil, 0, err
		}
		message, refusal := decodeMessage(body)
		if refusal == nil {
			return message, int64(len(body)), nil
		}
		s.log.Warn("refuse message", "reason", refusal.Err(), "bytes", len(body))
		if _, err := s.Write(ctx, refusal); err != nil {
			return nil, 0, err
		}
	}
}

// Write queues a message for the editor.
func (s *stream) Write(ctx context.Context, message jsonrpc2.Message) (int64, error) {
	size, err := s.out.send(ctx, func(dst []byte) []byte { return jsonrpc2.AppendMessage(dst, message) })
	return int64(size), err
}

// Close asks Serve to end; Serve closes the connection itself, after what is queued was written. It is called with a
// lock of jsonrpc2 held, so it must not wait.
func (s *stream) Close() error {
	s.end(errWriterClosed)
	return nil
}
