package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

var _ session.AgentObserver = (*backend)(nil)

// AgentChanged passes on what the supervisor says.
func (b *backend) AgentChanged(name string, s conversation.Status) {
	b.server.AgentChanged(wireStatus(name, s))
}

// MessageChanged passes on what the supervisor says.
func (b *backend) MessageChanged(name string, m conversation.Message) {
	b.server.MessageChanged(name, wireMessage(m))
}

// maxPrompt bounds a prompt's text; larger things belong in files.
const maxPrompt = 1 << 20

// Prompt hands a message to the agent.
func (b *backend) Prompt(ctx context.Context, p jsonrpc.PromptParams) (jsonrpc.PromptResult, error) {
	if err := b.checkPrompt(p); err != nil {
		return jsonrpc.PromptResult{}, err
	}
	accepted, name, err := b.sup.Prompt(ctx, b.named(p.Session), innerPrompt(p))
	if err != nil {
		return jsonrpc.PromptResult{}, explain(err)
	}
	return jsonrpc.PromptResult{Session: name, ID: accepted.ID, Turn: accepted.Turn, Steered: accepted.Steered}, nil
}

func (b *backend) checkPrompt(p jsonrpc.PromptParams) error {
	switch {
	case strings.TrimSpace(p.Text) == "" && len(p.Images) == 0 && len(p.Context) == 0:
		return &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: "the prompt is empty", Hint: "Say what the agent should do."}
	case len(p.Text) > maxPrompt:
		return &jsonrpc.Error{
			Kind: jsonrpc.KindArguments, Message: fmt.Sprintf("the prompt has %d bytes, the limit is %d", len(p.Text), maxPrompt),
			Hint: "Put large texts into a file of the repository and name it: @path.",
		}
	}
	return chosenModel(b.sup, p.Model)
}

// chosenModel says why the model of that name, if the settings have it, cannot be used; the agent knows the others.
func chosenModel(sup *session.Supervisor, name string) error {
	models, _, ready := sup.Models()
	for _, m := range models {
		if m.Name == name {
			if err := ready(m); err != nil {
				return explain(err)
			}
		}
	}
	return nil
}

// Cancel ends the agent's turn or one of its tool calls.
func (b *backend) Cancel(ctx context.Context, p jsonrpc.CancelParams) error {
	return explained(b.sup.CancelTurn(ctx, b.named(p.Session), p.Tool))
}

// Answer answers a question of the agent.
func (b *backend) Answer(ctx context.Context, p jsonrpc.AnswerParams) error {
	return explained(b.sup.Answer(ctx, b.named(p.Session), p.ID, p.Answer))
}

// maxConversation bounds the messages of one answer, which has to fit into a frame.
const maxConversation = 2000

// Conversation returns the conversation with the agent.
func (b *backend) Conversation(ctx context.Context, p jsonrpc.ConversationParams) (jsonrpc.ConversationResult, error) {
	page, name, err := b.sup.Conversation(ctx, b.named(p.Session), p.After, min(max(p.Limit, 0), maxConversation))
	if err != nil {
		return jsonrpc.ConversationResult{}, explain(err)
	}
	result := jsonrpc.ConversationResult{Session: name, Status: wireStatus(name, page.Status), Messages: []jsonrpc.Message{}, More: page.More}
	for _, m := range page.Messages {
		result.Messages = append(result.Messages, wireMessage(m))
	}
	return result, nil
}

// Models lists the models that the settings name.
func (b *backend) Models(context.Context) (jsonrpc.ModelsResult, error) {
	return wireModels(b.sup.Models()), nil
}

// SetKey takes a key that the editor keeps.
func (b *backend) SetKey(_ context.Context, p jsonrpc.SetKeyParams) error {
	if err := b.sup.SetKey(p.Name, p.Key); err != nil {
		return &jsonrpc.Error{Kind: jsonrpc.KindArguments, Message: err.Error(), Hint: "Give the name of a model, or anthropic or openai, and the key as it is."}
	}
	return nil
}

// explained is explain for what may be no error.
func explained(err error) error {
	if err == nil {
		return nil
	}
	return explain(err)
}
