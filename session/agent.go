package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/gateway"
)

// AgentObserver hears of the agents of the sessions that this process is attached to. For each session the methods are called from one goroutine
// each, in order; they must not block.
type AgentObserver interface {
	// AgentChanged has the full state.
	AgentChanged(session string, status conversation.Status)
	// MessageChanged has one message of the conversation as it stands, also those that were there before this process.
	MessageChanged(session string, message conversation.Message)
}

// agentPart is a session's end of the agent inside.
type agentPart struct {
	client  conversation.Client
	account *gateway.Account
	wake    chan struct{} // capacity 1: the status may have changed
	push    chan struct{} // capacity 1: the agent may not have the settings

	mu       sync.Mutex // guards the fields below
	settings AgentSettings
	status   conversation.Status // as the agent tells it
	known    bool                // it has told
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // whoever has not yet looked sees this change too
	}
}

func newAgentPart(s *Session, g *gateway.Gateway, settings AgentSettings) *agentPart {
	client := agent.NewClient(s.conn.DialContext)
	p := &agentPart{
		client:   conversation.Client{HTTP: client.HTTP(), BaseURL: client.BaseURL()},
		wake:     make(chan struct{}, 1),
		push:     make(chan struct{}, 1),
		settings: settings,
	}
	p.account = g.Account(gateway.AccountConfig{Ledger: ledger{s.store, s.rec.Name}, Changed: func() { poke(p.wake) }})
	return p
}

// runAgent follows the conversation and keeps the agent's settings until ctx ends.
func (s *Session) runAgent(ctx context.Context) {
	defer s.agent.client.HTTP.CloseIdleConnections()
	var group sync.WaitGroup
	// All end with ctx and are waited for below.
	group.Go(func() { s.report("conversation", s.followAgent(ctx)) })
	group.Go(func() { s.publishAgent(ctx) })
	group.Go(func() { s.configureAgent(ctx) })
	group.Wait()
}

func (s *Session) followAgent(ctx context.Context) error {
	cfg := conversation.FollowConfig{Client: s.agent.client, Log: s.log}
	return conversation.Follow(ctx, cfg, func(e conversation.Event) {
		switch {
		case e.Begin != nil:
			poke(s.agent.push) // the agent may have been restarted
		case e.Status != nil:
			s.agent.mu.Lock()
			used := s.agent.status.Usage != e.Status.Usage
			s.agent.status, s.agent.known = *e.Status, true
			s.agent.mu.Unlock()
			if used && !s.isOwner() {
				s.report("usage", s.agent.account.Refresh()) // another process counts
			}
			poke(s.agent.wake)
		case e.Message != nil && s.agents != nil:
			s.agents.MessageChanged(s.rec.Name, *e.Message)
		}
	})
}

func (s *Session) isOwner() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owner
}

// publishAgent tells how the agent stands, after each change.
func (s *Session) publishAgent(ctx context.Context) {
	var last conversation.Status
	told := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.agent.wake:
		}
		status, known := s.agent.view()
		if !known || told && reflect.DeepEqual(status, last) {
			continue
		}
		last, told = status, true
		if s.agents != nil {
			s.agents.AgentChanged(s.rec.Name, status)
		}
	}
}

// view is the agent's status with what only the host knows: what was used, and that a model's server is being waited for.
func (p *agentPart) view() (conversation.Status, bool) {
	p.mu.Lock()
	status, known := p.status, p.known
	p.mu.Unlock()
	used := p.account.Usage()
	status.Usage = conversation.Usage{
		InputTokens: used.Input, OutputTokens: used.Output, CacheReadTokens: used.CacheRead, CacheWriteTokens: used.CacheWrite,
		Dollars: used.Dollars, Priced: used.Unpriced == 0,
	}
	if r := p.account.Retrying(); r.Attempt > 0 && (status.State == conversation.Thinking || status.State == conversation.Compacting) {
		status.State = conversation.Retrying
		status.Error = &conversation.Problem{
			Kind: "model", Retryable: true,
			Message: fmt.Sprintf("%s: %s; attempt %d follows at %s", r.Model, r.Reason, r.Attempt+1, r.Until.Local().Format(time.TimeOnly)),
		}
	}
	// The container knows of what kind a failure was; where it happened is for the user alone.
	if f := p.account.Failure(); status.Error != nil && f.Kind != "" && status.Error.Kind == f.Kind && f.Message != "" {
		whole := *status.Error
		whole.Message = f.Message
		status.Error = &whole
	}
	return status, known
}

// settingsPatience is how long to wait before settings that could not be handed over are tried again; a new connection does not wait.
const settingsPatience = 5 * time.Second

// configureAgent hands the settings to the agent whenever they may differ. Only the owner does: it is the one whose gateway the agent uses.
func (s *Session) configureAgent(ctx context.Context) {
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.agent.push:
		case <-again:
		}
		again = nil
		if !s.isOwner() {
			continue // becoming it wakes this
		}
		if err := s.agent.client.Configure(ctx, s.agent.current()); err != nil && ctx.Err() == nil {
			s.log.Debug("configure agent", "error", err)
			again = time.After(settingsPatience)
		}
	}
}

func (p *agentPart) current() conversation.Settings {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.settings.inside()
}

func (p *agentPart) configure(settings AgentSettings) {
	p.mu.Lock()
	p.settings = settings
	p.mu.Unlock()
	poke(p.push)
}

// serveLLM is the container's way to the models' servers.
func (s *Session) serveLLM(ctx context.Context, _ []byte, rw io.ReadWriteCloser) {
	s.agent.account.Serve(ctx, rw)
}

// Prompt hands a message to the session's agent, and returns when it was taken.
func (s *Session) Prompt(ctx context.Context, p conversation.Prompt) (conversation.Accepted, error) {
	if err := s.agent.account.Prompting(); err != nil {
		return conversation.Accepted{}, err
	}
	if s.isOwner() { // the settings of the last owner may still be there: ours go first, and once more does no harm
		if err := s.agent.client.Configure(ctx, s.agent.current()); err != nil {
			return conversation.Accepted{}, s.agentError(ctx, err)
		}
	}
	accepted, err := s.agent.client.Prompt(ctx, p)
	return accepted, s.agentError(ctx, err)
}

// AgentError says that the agent could not be asked.
type AgentError struct {
	Session string
	Err     error
}

// Error says what was tried.
func (e *AgentError) Error() string { return e.Session + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *AgentError) Unwrap() error { return e.Err }

// agentError prefers what is known of the session's end, and leaves what the agent itself said.
func (s *Session) agentError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, said := errors.AsType[*conversation.Problem](err); said {
		return err
	}
	return &AgentError{Session: s.rec.Name, Err: s.explain(ctx, err)}
}
