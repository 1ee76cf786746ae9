package tools

import (
	"context"
	"fmt"
	"strings"
)

// TodoItem is one item of the agent's plan.
type TodoItem struct {
	ID     string
	Text   string
	Status string // pending, active or done
}

const (
	maxTodo     = 100
	maxTodoText = 500
)

type todoStatus string

type todoEntry struct {
	ID     string     `json:"id" jsonschema:"Short name that the item keeps."`
	Text   string     `json:"text" jsonschema:"What is to be done, in a line."`
	Status todoStatus `json:"status" jsonschema:"How far it is; one item at most is active."`
}

type todoInput struct {
	Items []todoEntry `json:"items" jsonschema:"The whole plan, in order; it takes the place of the one before."`
}

func (s *Set) todo() Tool {
	return newTool("todo", "Writes the plan of the work, which the user sees. Use it for work of several steps, and keep it true: mark an item active before you begin it and done when it is.",
		func(in todoInput) string { return planTitle(in.Items) },
		func(_ context.Context, _ Call, in todoInput) (Result, error) {
			items, wrong := checkPlan(in.Items)
			if wrong != "" {
				return failed("The plan was not changed: " + wrong + "."), nil
			}
			if s.cfg.Todo != nil {
				s.cfg.Todo(items)
			}
			return Result{Text: "Noted: " + planTitle(in.Items) + "."}, nil
		})
}

func planTitle(items []todoEntry) string {
	done := 0
	for _, item := range items {
		if item.Status == "done" {
			done++
		}
		if item.Status == "active" {
			return item.Text
		}
	}
	return fmt.Sprintf("%d of %d done", done, len(items))
}

func checkPlan(entries []todoEntry) (items []TodoItem, wrong string) {
	if len(entries) > maxTodo {
		return nil, fmt.Sprintf("it has more than %d items", maxTodo)
	}
	seen, active := make(map[string]bool), 0
	for _, e := range entries {
		text := strings.TrimSpace(e.Text)
		switch {
		case e.ID == "" || len(e.ID) > 64 || text == "":
			return nil, "each item needs a short id and a text"
		case seen[e.ID]:
			return nil, fmt.Sprintf("two items have the id %q", e.ID)
		case len(text) > maxTodoText:
			return nil, fmt.Sprintf("the text of %q is longer than %d bytes", e.ID, maxTodoText)
		}
		if e.Status == "active" {
			active++
		}
		seen[e.ID] = true
		items = append(items, TodoItem{ID: e.ID, Text: text, Status: string(e.Status)})
	}
	if active > 1 {
		return nil, "more than one item is active"
	}
	return items, ""
}
