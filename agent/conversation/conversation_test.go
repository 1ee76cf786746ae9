package conversation

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLatest(t *testing.T) {
	t.Parallel()
	c := New(nil, Loaded{})
	for i := range 5 {
		c.Add(User, 1, func(m *Message) { m.Text = fmt.Sprint(i) })
	}
	for _, test := range []struct {
		after int64
		limit int
		want  string
		more  bool
	}{
		{0, 0, "01234", false},
		{0, 2, "34", true},
		{2, 0, "234", false},
		{2, 2, "34", true},
		{5, 0, "", false},
		{9, 1, "", false},
	} {
		page := c.Latest(test.after, test.limit)
		var got strings.Builder
		for _, m := range page.Messages {
			got.WriteString(m.Text)
		}
		if got.String() != test.want || page.More != test.more {
			t.Errorf("after %d, limit %d: %q, more %v", test.after, test.limit, got.String(), page.More)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c := New(nil, Loaded{})
	first := c.Begin(Tool, 1, nil)
	text := strings.Repeat("x", MaxText)
	for range 100 {
		c.Add(Assistant, 1, func(m *Message) { m.Text = text })
	}
	if page := c.Latest(1, 1); len(page.Messages) != 1 {
		t.Fatal("the last message is gone")
	}
	first.Done(func(m *Message) { m.Text = "late" })
	c.Add(Assistant, 1, nil)
	if c.bytes > maxKeptBytes || !c.Latest(0, 1000).More {
		t.Errorf("%d bytes are kept", c.bytes)
	}
	for range maxKept {
		c.Add(Notice, 1, nil)
	}
	if len(c.entries) != maxKept {
		t.Errorf("%d messages are kept", len(c.entries))
	}
}

func TestEntryIsSealedWhenDone(t *testing.T) {
	t.Parallel()
	c := New(nil, Loaded{})
	e := c.Begin(Assistant, 1, nil)
	e.Grow("Hel", "hm")
	e.Grow("lo", "")
	if m := c.Latest(0, 0).Messages[0]; m.Text != "Hello" || m.Thinking != "hm" || m.Done {
		t.Errorf("%+v", m)
	}
	e.Done(func(m *Message) { m.Usage = &Usage{OutputTokens: 2} })
	e.Grow(" again", "")
	e.Update(func(m *Message) { m.Text = "no" })
	e.Done(func(m *Message) { m.Text = "no" })
	if m := c.Latest(0, 0).Messages[0]; m.Text != "Hello" || !m.Done || m.Usage.OutputTokens != 2 {
		t.Errorf("%+v", m)
	}
}

func TestGrowthIsBounded(t *testing.T) {
	t.Parallel()
	c := New(nil, Loaded{})
	e := c.Begin(Assistant, 1, nil)
	for range 40 {
		e.Grow(strings.Repeat("é", 20_000), "")
	}
	e.Done(nil)
	if m := c.Latest(0, 0).Messages[0]; len(m.Text) > MaxText || !strings.HasSuffix(m.Text, "[cut]") || !utf8.ValidString(m.Text) {
		t.Errorf("%d bytes", len(m.Text))
	}
}

func TestBound(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", MaxText)
	m := Message{Text: long, Images: make([]Image, 99), Tool: &ToolCall{Title: "a\nb", Output: long, Diff: long, Input: []byte(`{"a":`)}, Question: &Question{Options: make([]string, 99)}, Error: &Problem{Message: long}}
	shared := m.Tool
	m.bound()
	if len(m.Text) > MaxText || len(m.Images) > MaxImages || len(m.Tool.Output) > MaxOutput || len(m.Tool.Diff) > MaxDiff || m.Tool.Input != nil ||
		len(m.Question.Options) > maxOptions || len(m.Error.Message) > maxLine || m.Tool.Title != "a b" {
		t.Error("a message is too large")
	}
	if shared.Title != "a\nb" {
		t.Error("a shared value was modified")
	}
	if got := ClipTail("aé", 1); got != "" {
		t.Errorf("%q", got)
	}
}
