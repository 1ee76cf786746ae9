package session

import (
	"context"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/gateway"
)

// Prompt hands a message to the agent of an attached session; an empty name means the only one.
func (s *Supervisor) Prompt(ctx context.Context, name string, p conversation.Prompt) (conversation.Accepted, string, error) {
	x, err := s.session(name)
	if err != nil {
		return conversation.Accepted{}, "", err
	}
	s.nameByPrompt(ctx, x, p.Text)
	accepted, err := x.Prompt(ctx, p)
	return accepted, x.rec.Name, err
}

// namePatience is how long a prompt waits for its branch's name, which it can do without.
const namePatience = 5 * time.Second

// nameByPrompt gives the branch of a session that has not been prompted yet a name that tells what the work is.
func (s *Supervisor) nameByPrompt(ctx context.Context, x *Session, text string) {
	status, known := x.agent.view()
	words := promptSlug(text)
	if !known || status.State == conversation.Off || status.Turn > 0 || words == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, namePatience)
	defer cancel()
	if _, err := s.NameBranch(ctx, x.rec.Name, words); err != nil {
		x.log.Warn("name branch", "error", err) // it keeps the name that it has
	}
}

// CancelTurn ends a tool call of the agent, or its turn where tool is empty.
func (s *Supervisor) CancelTurn(ctx context.Context, name, tool string) error {
	x, err := s.session(name)
	if err != nil {
		return err
	}
	return x.agentError(ctx, x.agent.client.Cancel(ctx, tool))
}

// Answer answers the question of the agent whose message has that id.
func (s *Supervisor) Answer(ctx context.Context, name, id, answer string) error {
	x, err := s.session(name)
	if err != nil {
		return err
	}
	return x.agentError(ctx, x.agent.client.Answer(ctx, id, answer))
}

// Conversation returns how the agent stands and the latest messages after a place, limit of them at most, and the session's name.
func (s *Supervisor) Conversation(ctx context.Context, name string, after int64, limit int) (conversation.Page, string, error) {
	x, err := s.session(name)
	if err != nil {
		return conversation.Page{}, "", err
	}
	page, err := x.agent.client.Latest(ctx, after, limit)
	if err != nil {
		return conversation.Page{}, "", x.agentError(ctx, err)
	}
	x.agent.mu.Lock()
	if !x.agent.known {
		x.agent.status, x.agent.known = page.Status, true
	}
	x.agent.mu.Unlock()
	page.Status, _ = x.agent.view()
	return page, x.rec.Name, nil
}

// Models returns the models of the settings, the name of the default one, and why one is not ready.
func (s *Supervisor) Models() (models []gateway.Model, preferred string, ready func(gateway.Model) error) {
	settings := s.gateway.Settings()
	if m, ok := settings.DefaultModel(s.gateway.Ready); ok {
		preferred = m.Name
	}
	return settings.Models, preferred, s.gateway.Ready
}

// SetKey takes a key that the editor keeps, for a model or a provider by its name; an empty one forgets it.
func (s *Supervisor) SetKey(name, key string) error {
	if err := s.gateway.SetKey(name, key); err != nil {
		return err
	}
	s.configureAgents()
	return nil
}

// configureAgents hands everybody the settings as they are now.
func (s *Supervisor) configureAgents() {
	s.mu.Lock()
	settings, running := s.agentSettingsLocked(), s.attachedLocked()
	s.mu.Unlock()
	for _, x := range running {
		x.agent.configure(settings)
	}
}

func (s *Supervisor) agentSettingsLocked() AgentSettings {
	settings := s.settings.Agent
	settings.models, settings.ready = s.gateway.Settings(), s.gateway.Ready
	return settings
}
