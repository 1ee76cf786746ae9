package main

import (
	"slices"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/gateway"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// wireStatus is how an agent stands, as an editor sees it.
func wireStatus(session string, s conversation.Status) jsonrpc.AgentStatus {
	status := jsonrpc.AgentStatus{
		Session: session, State: jsonrpc.AgentState(s.State), Model: s.Model, Turn: s.Turn, Outcome: jsonrpc.TurnOutcome(s.Outcome), Queued: s.Queued,
		Since: s.Since, Usage: jsonrpc.Usage(s.Usage), ContextUsed: s.ContextUsed, ContextSize: s.ContextSize, Uncommitted: s.Uncommitted,
		Error: wireProblem(s.Error),
	}
	for _, item := range s.Todo {
		status.Todo = append(status.Todo, jsonrpc.TodoItem{ID: item.ID, Text: item.Text, Status: jsonrpc.TodoStatus(item.Status)})
	}
	return status
}

// wireMessage is a message, as an editor sees it.
func wireMessage(m conversation.Message) jsonrpc.Message {
	message := jsonrpc.Message{
		ID: m.ID, Seq: m.Seq, Kind: jsonrpc.MessageKind(m.Kind), Time: m.Time, Turn: m.Turn, Done: m.Done, Text: m.Text, Thinking: m.Thinking,
		Error: wireProblem(m.Error),
	}
	for _, image := range m.Images {
		message.Images = append(message.Images, jsonrpc.Image(image))
	}
	if t := m.Tool; t != nil {
		message.Tool = &jsonrpc.ToolCall{
			ID: t.ID, Name: t.Name, Title: t.Title, State: jsonrpc.ToolState(t.State), Input: t.Input, Output: t.Output, Diff: t.Diff, DurationMS: t.DurationMS,
		}
	}
	if q := m.Question; q != nil {
		message.Question = &jsonrpc.Question{Text: q.Text, Options: q.Options, Answer: q.Answer, Answered: q.Answered}
	}
	if m.Usage != nil {
		usage := jsonrpc.Usage(*m.Usage)
		message.Usage = &usage
	}
	return message
}

func wireProblem(p *conversation.Problem) *jsonrpc.ErrorData {
	if p == nil {
		return nil
	}
	return problemError(p).Data()
}

// problemError is what the agent says went wrong. It comes from the container, which may name any kind.
func problemError(p *conversation.Problem) *jsonrpc.Error {
	kind := jsonrpc.Kind(p.Kind)
	if !slices.ContainsFunc(jsonrpc.Kinds(), func(i jsonrpc.KindInfo) bool { return i.Kind == kind }) {
		kind = jsonrpc.KindInternal
	}
	return &jsonrpc.Error{Kind: kind, Message: p.Message, Hint: p.Hint, Retryable: p.Retryable}
}

// innerPrompt is a prompt as the agent takes it.
func innerPrompt(p jsonrpc.PromptParams) conversation.Prompt {
	prompt := conversation.Prompt{Text: p.Text, Model: p.Model}
	for _, image := range p.Images {
		prompt.Images = append(prompt.Images, conversation.Image(image))
	}
	for _, c := range p.Context {
		prompt.Context = append(prompt.Context, conversation.Snippet(c))
	}
	return prompt
}

// wireModels are the models of the settings.
func wireModels(models []gateway.Model, preferred string, ready func(gateway.Model) error) jsonrpc.ModelsResult {
	result := jsonrpc.ModelsResult{Models: []jsonrpc.ModelInfo{}, Default: preferred}
	for _, m := range models {
		info := jsonrpc.ModelInfo{Name: m.Name, Provider: string(m.Provider), Model: m.Model, Ready: true}
		if err := ready(m); err != nil {
			info.Ready, info.Error = false, explain(err).Data()
		}
		result.Models = append(result.Models, info)
	}
	return result
}
