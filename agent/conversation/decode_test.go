package conversation

import (
	"strings"
	"testing"
)

// A text of a megabyte must not become a hundred of them.
func TestCrowdedAnswerIsRefused(t *testing.T) {
	t.Parallel()
	var page Page
	if err := decodeBounded([]byte(`{"messages":[`+strings.Repeat(`{},`, maxValues)+`{}]}`), &page); err == nil || len(page.Messages) > 0 {
		t.Errorf("decoded %d messages, %v", len(page.Messages), err)
	}
	if err := decodeBounded([]byte(`{"messages":[{"id":"1","text":"`+strings.Repeat(",", maxValues)+`"}]}`), &page); err != nil || len(page.Messages) != 1 {
		t.Errorf("a long text: %v", err)
	}
}

// What editors tell apart by name must not carry a container's text.
func TestUnknownNamesAreReplaced(t *testing.T) {
	t.Parallel()
	m := Message{Kind: "<b>", Tool: &ToolCall{State: "<b>"}}
	m.bound()
	if m.Kind != Notice || m.Tool.State != ToolFailed {
		t.Errorf("%q, %q", m.Kind, m.Tool.State)
	}
	s := Status{State: "<b>", Outcome: "<b>", Todo: []TodoItem{{Status: "<b>"}}}
	s.bound()
	if s.State != Off || s.Outcome != Failed || s.Todo[0].Status != "pending" {
		t.Errorf("%+v", s)
	}
	s = Status{State: Retrying, Outcome: Budget}
	if s.bound(); s.State != Retrying || s.Outcome != Budget {
		t.Errorf("%+v", s)
	}
}
