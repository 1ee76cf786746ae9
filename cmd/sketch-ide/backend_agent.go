package main

import (
	"context"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// Prompt hands a message to the agent.
func (b *backend) Prompt(ctx context.Context, p jsonrpc.PromptParams) (jsonrpc.PromptResult, error) {
	return jsonrpc.PromptResult{}, errNotInThisBuild
}

// Cancel ends the agent's turn or one of its tool calls.
func (b *backend) Cancel(ctx context.Context, p jsonrpc.CancelParams) error { return errNotInThisBuild }

// Answer answers a question of the agent.
func (b *backend) Answer(ctx context.Context, p jsonrpc.AnswerParams) error { return errNotInThisBuild }

// Conversation returns the conversation with the agent.
func (b *backend) Conversation(ctx context.Context, p jsonrpc.ConversationParams) (jsonrpc.ConversationResult, error) {
	return jsonrpc.ConversationResult{}, errNotInThisBuild
}

// Models lists the models that the settings name.
func (b *backend) Models(ctx context.Context) (jsonrpc.ModelsResult, error) {
	return jsonrpc.ModelsResult{}, errNotInThisBuild
}

// SetKey takes a key that the editor keeps.
func (b *backend) SetKey(ctx context.Context, p jsonrpc.SetKeyParams) error { return errNotInThisBuild }
