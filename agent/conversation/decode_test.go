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
