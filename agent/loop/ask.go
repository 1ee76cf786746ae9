package loop

import (
	"context"
	"errors"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
	"github.com/sketch-ide/sketch-ide/agent/tools"
)

// answered is an answer of the model, with what is shown of its calls.
type answered struct {
	llm.Response
	model   string // ID
	tools   map[string]tools.Tool
	entries map[string]*conversation.Entry // of calls, by id
}

const (
	maxBrokenOff = 2 // answers that broke off and are asked for again
	// firstWait and lastWait bound how long it is before a host that is away is looked for again. It costs nothing, and its settings
	// tell when it is back.
	firstWait = 500 * time.Millisecond
	lastWait  = 10 * time.Second
)

// ask asks the model for the next message, for as long as it takes until the host is there. When ctx ends, what was said by then goes
// into the history.
func (l *Loop) ask(ctx context.Context) (answered, error) {
	wait, broken := firstWait, 0
	for {
		res, err := l.askOnce(ctx)
		if err == nil {
			return res, nil
		}
		if ctx.Err() != nil {
			l.keepWords(res)
			return res, err
		}
		e, ok := errors.AsType[*llm.Error](err)
		switch {
		case ok && e.Reason == llm.Unreachable:
			if err := errors.Join(l.to(lost), l.pause(ctx, wait)); err != nil {
				return res, err
			}
			wait = min(2*wait, lastWait)
		case ok && (e.Reason == llm.BrokenOff || e.Reason == llm.Garbled) && broken < maxBrokenOff:
			broken++
			l.notice("The model is asked again: "+e.Error(), nil)
			if err := errors.Join(l.to(lost), l.pause(ctx, wait)); err != nil {
				return res, err
			}
		default:
			return res, err
		}
		if err := l.to(again); err != nil {
			return res, err
		}
	}
}

// pause waits, or until settings tell that the host is there.
func (l *Loop) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.nudge:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// keepWords keeps the words of an answer that was cancelled. Calls that were not run are not kept, nor is thinking that may be incomplete.
func (l *Loop) keepWords(res answered) {
	var blocks []llm.Block
	for _, b := range res.Blocks {
		if b.Text != "" {
			blocks = append(blocks, b)
		}
	}
	if len(blocks) > 0 {
		l.write(record{Add: &llm.Message{Role: llm.Assistant, Blocks: blocks, Model: res.model}})
	}
}

func (l *Loop) askOnce(ctx context.Context) (answered, error) {
	req, offered := l.request(ctx)
	show := shower{loop: l, turn: req.Turn, tools: offered, entries: make(map[string]*conversation.Entry)}
	res, err := l.cfg.Model.Stream(ctx, req, show.delta)
	show.end(res, err)
	l.count(res.Usage, err == nil)
	return answered{Response: res, model: req.Model.ID, tools: offered, entries: show.entries}, err
}

// request is what the model is asked now.
func (l *Loop) request(ctx context.Context) (llm.Request, map[string]tools.Tool) {
	settings, model := l.current()
	l.mu.Lock()
	number := l.number
	l.mu.Unlock()
	req := llm.Request{Model: llmModel(model), System: l.systemPrompt(ctx, settings), Messages: sendable(l.history.messages), Turn: number, Purpose: "turn"}
	offered := make(map[string]tools.Tool)
	for _, tool := range l.tools.Tools(ctx) {
		spec := tool.Spec()
		offered[spec.Name] = tool
		req.Tools = append(req.Tools, llm.Tool{Name: spec.Name, Description: spec.Description, Schema: spec.Schema})
	}
	return req, offered
}

// count adds up what was used, as far as it is known: of an answer that broke off too.
func (l *Loop) count(u llm.Usage, whole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.usage = l.usage.Add(usageOf(u))
	l.cfg.Conversation.SetStatus(func(s *conversation.Status) {
		s.Usage = l.usage
		if whole && u.Context() > 0 {
			s.ContextUsed = u.Context()
		}
	})
}

func usageOf(u llm.Usage) conversation.Usage {
	return conversation.Usage{InputTokens: u.Input, OutputTokens: u.Output, CacheReadTokens: u.CacheRead, CacheWriteTokens: u.CacheWrite}
}

// shower shows an answer while it arrives.
type shower struct {
	loop    *Loop
	turn    int
	tools   map[string]tools.Tool
	said    []*conversation.Entry
	open    bool // the last of said still grows
	entries map[string]*conversation.Entry
}

func (s *shower) delta(d llm.Delta) {
	c := s.loop.cfg.Conversation
	if d.Call != nil {
		s.open = false
		call := conversation.ToolCall{ID: d.Call.ID, Name: d.Call.Name, Title: d.Call.Name, State: conversation.ToolPending}
		s.entries[d.Call.ID] = c.Begin(conversation.Tool, s.turn, func(m *conversation.Message) { m.Tool = &call })
		return
	}
	if !s.open {
		s.open = true
		s.said = append(s.said, c.Begin(conversation.Assistant, s.turn, nil))
	}
	s.said[len(s.said)-1].Grow(d.Text, d.Thinking)
}

// end seals what was said. Calls stay open until they have been run; those that will not be are cancelled.
func (s *shower) end(res llm.Response, err error) {
	for i, entry := range s.said {
		entry.Done(func(m *conversation.Message) {
			if u := usageOf(res.Usage); i == len(s.said)-1 && u != (conversation.Usage{}) {
				m.Usage = &u
			}
		})
	}
	if err == nil {
		return
	}
	for _, entry := range s.entries {
		entry.Done(func(m *conversation.Message) {
			tool := *m.Tool
			tool.State, tool.Output = conversation.ToolCancelled, "not run: the answer was not complete"
			m.Tool = &tool
		})
	}
}
