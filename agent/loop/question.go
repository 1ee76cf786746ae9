package loop

import (
	"context"
	"errors"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/tools"
)

// askUser is the tools' way to ask. It waits for the answer, or for ctx to end.
func (l *Loop) askUser(ctx context.Context, question string, options []string) (string, error) {
	l.mu.Lock()
	entry := l.cfg.Conversation.Begin(conversation.Asked, l.number, func(m *conversation.Message) {
		m.Question = &conversation.Question{Text: question, Options: options}
	})
	answered := make(chan string, 1) // one answer; Answer takes the question away with it
	l.questions[entry.ID()] = answered
	err := l.toLocked(ask)
	l.mu.Unlock()
	answer := ""
	if err == nil {
		select {
		case answer = <-answered:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	entry.Done(func(m *conversation.Message) {
		q := *m.Question
		q.Answer, q.Answered = answer, true
		m.Question = &q
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.questions, entry.ID())
	if len(l.questions) == 0 {
		err = errors.Join(err, l.toLocked(reply))
	}
	return answer, err
}

// Answer answers a question.
func (l *Loop) Answer(id, answer string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	answered := l.questions[id]
	if answered == nil {
		return &conversation.Problem{Kind: "noQuestion", Message: "this question needs no answer any more"}
	}
	delete(l.questions, id)
	answered <- answer
	return nil
}

// setTodo is told the agent's plan.
func (l *Loop) setTodo(items []tools.TodoItem) {
	todo := make([]conversation.TodoItem, 0, len(items))
	for _, item := range items {
		todo = append(todo, conversation.TodoItem{ID: item.ID, Text: item.Text, Status: item.Status})
	}
	l.cfg.Conversation.SetStatus(func(s *conversation.Status) { s.Todo = todo })
}
