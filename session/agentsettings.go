package session

import (
	"errors"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/gateway"
)

// AgentSettings are what the user decides about the agent, beside the models' own.
type AgentSettings struct {
	NoCoAuthor   bool   // its commits get no trailer
	Instructions string // of the user, added to the system prompt
	MCP          []conversation.MCPServer
	BrowserURL   string // of a browser's debugging endpoint, where the image has none

	models gateway.Settings
	ready  func(gateway.Model) error
}

// inside is what the agent is told: no keys, and only models that there are keys for.
func (a AgentSettings) inside() conversation.Settings {
	out := conversation.Settings{
		NoCoAuthor: a.NoCoAuthor, Instructions: a.Instructions, MCP: a.MCP, BrowserURL: a.BrowserURL,
		MaxSteps: int(a.models.Budget.Turn.Calls), Models: []conversation.Model{},
	}
	var missing error
	for _, m := range a.models.Models {
		if err := a.ready(m); err != nil {
			missing = errors.Join(missing, err)
			continue
		}
		out.Models = append(out.Models, conversation.Model{
			Name: m.Name, Provider: string(m.Provider), Model: m.Model, ContextWindow: m.ContextWindow, MaxOutputTokens: m.MaxOutput,
			ThinkingTokens: m.Thinking.Tokens, Effort: m.Thinking.Effort, NoImages: m.NoImages,
		})
	}
	if m, ok := a.models.DefaultModel(a.ready); ok && a.ready(m) == nil {
		out.Default = m.Name
	}
	if len(out.Models) == 0 {
		out.Error = noModel(missing)
	}
	return out
}

// noModel says in a sentence why there is no conversation.
func noModel(missing error) *conversation.Problem {
	if e, ok := errors.AsType[*gateway.KeyError](missing); ok {
		return &conversation.Problem{Kind: "noModel", Message: e.Error(), Hint: e.Hint}
	}
	return &conversation.Problem{
		Kind: "noModel", Message: "no model is configured",
		Hint: "Name one in the setting models, or in SKETCH_IDE_MODEL with a key in ANTHROPIC_API_KEY or OPENAI_API_KEY; all but the conversation works without.",
	}
}
