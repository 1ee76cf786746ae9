package acp

import (
	"context"
	"encoding/json"
	"strings"

	"go.lsp.dev/jsonrpc2"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// prompt hands a message to the agent and answers when its turn is over. What cancels the session after the request has arrived, at, cancels this turn, also where it
// is heard before the turn has begun.
func (s *Server) prompt(ctx context.Context, params json.RawMessage, at uint64) (any, error) {
	var p promptRequest
	if err := decode(params, &p); err != nil {
		return nil, err
	}
	x := s.opened(p.SessionID)
	if x == nil {
		return nil, notOpen(p.SessionID)
	}
	message, err := x.message(p.Prompt)
	if err != nil {
		return nil, err
	}
	if name, ok := strings.CutPrefix(strings.TrimSpace(message.Text), "/"); ok {
		if done, err := x.command(ctx, name); done || err != nil {
			return promptResponse{"end_turn"}, err
		}
	}
	if x.stoppedSince(at) {
		return promptResponse{"cancelled"}, nil
	}
	x.update(func() { x.prompting, x.withdrawn = x.prompting+1, 0 })
	defer x.update(func() { x.prompting-- })
	turn, err := x.begin(ctx, message)
	if err != nil {
		return nil, err
	}
	if x.stoppedSince(at) {
		s.cancelTurn(ctx, x.name)
	}
	return x.await(ctx, turn)
}

func (x *session) stoppedSince(at uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stopped > at || x.closed
}

func notOpen(id string) error {
	return jsonrpc2.Errorf(-32002, "the session %.80q is not open here; session/new or session/load open one", id)
}

// begin begins the turn, or answers what the agent asked in the running one.
func (x *session) begin(ctx context.Context, message jsonrpc.PromptParams) (turn int, err error) {
	answered, err := x.answerOpen(ctx, message.Text)
	if err != nil {
		return 0, err
	}
	if answered {
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.status.Turn, nil
	}
	result, err := x.server.cfg.Backend.Prompt(ctx, message)
	return result.Turn, err
}

// await waits for the end of a turn. When the request is cancelled, so is the turn.
func (x *session) await(ctx context.Context, turn int) (any, error) {
	for {
		x.mu.Lock()
		status, failed, open, closed, changed := x.status, x.failed, x.open, x.closed, x.changed
		x.mu.Unlock()
		switch {
		case failed != nil:
			return nil, failed
		case closed:
			return promptResponse{"cancelled"}, nil // nothing is told of it any more
		case open != "":
			return promptResponse{"end_turn"}, nil // the next prompt answers
		case status.Turn >= turn && (status.State == jsonrpc.AgentIdle || status.State == jsonrpc.AgentOff):
			return stopped(status)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			x.server.cancelTurn(context.WithoutCancel(ctx), x.name)
			return nil, context.Cause(ctx)
		}
	}
}

// stopped is how a turn ended, in ACP's words.
func stopped(status jsonrpc.AgentStatus) (any, error) {
	switch status.Outcome {
	case jsonrpc.TurnCancelled:
		return promptResponse{"cancelled"}, nil
	case jsonrpc.TurnBudget:
		return promptResponse{"max_turn_requests"}, nil
	case jsonrpc.TurnFailed:
		if e := status.Error; e != nil {
			return nil, &jsonrpc.Error{Kind: e.Kind, Message: e.Message, Hint: e.Hint, Retryable: e.Retryable}
		}
		return nil, &jsonrpc.Error{Kind: jsonrpc.KindModel, Message: "the turn failed"}
	case jsonrpc.TurnDone:
	}
	return promptResponse{"end_turn"}, nil
}
