package acp

import (
	"context"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"

	"go.lsp.dev/jsonrpc2"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// prompt hands a message to the agent and answers when its turn is over.
func (s *Server) prompt(ctx context.Context, params json.RawMessage) (any, error) {
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
	x.update(func() { x.prompting = true })
	defer x.update(func() { x.prompting = false })
	turn, err := x.begin(ctx, message)
	if err != nil {
		return nil, err
	}
	return x.await(ctx, turn)
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
		status, failed, open, changed := x.status, x.failed, x.open, x.changed
		x.mu.Unlock()
		switch {
		case failed != nil:
			return nil, failed
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

// message makes a message of what the editor sends. Files that the user mentions are brought along by their names in the repository, and by their text
// where the editor sends that.
func (x *session) message(blocks []contentBlock) (jsonrpc.PromptParams, error) {
	x.mu.Lock()
	message := jsonrpc.PromptParams{Session: x.name, Model: x.model}
	x.mu.Unlock()
	var text strings.Builder
	for _, block := range blocks {
		switch block.Type {
		case "text":
			text.WriteString(block.Text)
		case "image":
			message.Images = append(message.Images, jsonrpc.Image{MIMEType: block.MIMEType, Data: block.Data})
		case "resource_link":
			if name, ok := x.inRepository(block.URI); ok {
				text.WriteString("@" + name)
			} else {
				text.WriteString(block.Name + " (" + block.URI + ")")
			}
		case "resource":
			if block.Resource == nil {
				continue
			}
			name, ok := x.inRepository(block.Resource.URI)
			if !ok {
				name = block.Resource.URI
			}
			message.Context = append(message.Context, jsonrpc.PromptContext{Path: name, Text: block.Resource.Text})
		default:
			return message, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "content of the type %.40q is not taken", block.Type)
		}
	}
	message.Text = text.String()
	if message.Text == "" && len(message.Images) == 0 && len(message.Context) == 0 {
		return message, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "the prompt is empty")
	}
	return message, nil
}

// inRepository is the name in the repository of a file that the editor names by its URI.
func (x *session) inRepository(uri string) (name string, ok bool) {
	parsed, err := url.Parse(uri)
	if err != nil || parsed.Scheme != "file" {
		return "", false
	}
	relative, err := filepath.Rel(x.folder, filepath.FromSlash(parsed.Path))
	if err != nil || !filepath.IsLocal(relative) {
		return "", false
	}
	return filepath.ToSlash(relative), true
}
