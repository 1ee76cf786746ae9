package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// talk renders a conversation for a terminal while it grows: what is new in each message since it was last seen.
type talk struct {
	after int64               // messages up to this place are not shown
	mine  map[string]bool     // texts that this terminal's user has typed
	shown map[int64]shownPart // by place
	open  int64               // place of the message whose text may go on in the same line; 0: none
}

// shownPart is how much of a message was shown.
type shownPart struct {
	text  int // bytes
	begun bool
	ended bool
}

func newTalk() *talk { return &talk{mine: make(map[string]bool), shown: make(map[int64]shownPart)} }

// add returns what is to be written now.
func (t *talk) add(m jsonrpc.Message) string {
	was := t.shown[m.Seq]
	if m.Seq <= t.after || was.ended {
		return ""
	}
	now := was
	var b strings.Builder
	switch m.Kind {
	case jsonrpc.MessageUser:
		if !t.mine[strings.TrimSpace(m.Text)] {
			t.line(&b, "> "+strings.ReplaceAll(strings.TrimSpace(m.Text), "\n", "\n> "))
		}
		now.ended = true
	case jsonrpc.MessageAssistant:
		t.grow(&b, m, &now)
	case jsonrpc.MessageTool:
		if m.Tool != nil {
			t.tool(&b, *m.Tool, &now)
		}
	case jsonrpc.MessageQuestion:
		if m.Question != nil {
			t.question(&b, *m.Question, &now)
		}
	case jsonrpc.MessageNotice:
		if m.Done {
			t.line(&b, "· "+noticeText(m))
		}
	}
	now.ended = now.ended || m.Done
	t.shown[m.Seq] = now
	t.prune()
	return b.String()
}

// maxShown is of how many messages it is known how much was shown.
const maxShown = 4096

// prune forgets the earlier half of the messages when they are too many, and shows no more of those.
func (t *talk) prune() {
	if len(t.shown) <= maxShown {
		return
	}
	places := slices.Sorted(maps.Keys(t.shown))
	t.after = max(t.after, places[len(places)/2])
	maps.DeleteFunc(t.shown, func(place int64, _ shownPart) bool { return place <= t.after })
}

// line begins a line of its own.
func (t *talk) line(b *strings.Builder, text string) {
	t.end(b)
	b.WriteString(text + "\n")
}

// end ends the line that is open.
func (t *talk) end(b *strings.Builder) {
	if t.open != 0 {
		b.WriteString("\n")
		t.open = 0
	}
}

// grow shows what was said since.
func (t *talk) grow(b *strings.Builder, m jsonrpc.Message, now *shownPart) {
	if len(m.Text) > now.text {
		if t.open != m.Seq {
			t.end(b)
		}
		b.WriteString(m.Text[now.text:])
		now.text, t.open = len(m.Text), m.Seq
	}
	if m.Done && t.open == m.Seq {
		t.open = 0
		if !strings.HasSuffix(m.Text, "\n") {
			b.WriteString("\n")
		}
	}
}

const (
	maxOutputLines = 12 // of a tool that failed
	maxDiffLines   = 60
)

func (t *talk) tool(b *strings.Builder, c jsonrpc.ToolCall, now *shownPart) {
	title := firstOf(c.Title, c.Name)
	switch c.State {
	case jsonrpc.ToolPending:
	case jsonrpc.ToolRunning:
		if !now.begun {
			t.line(b, "▸ "+title)
			now.begun = true
		}
	case jsonrpc.ToolDone:
		t.line(b, fmt.Sprintf("✓ %s%s", title, took(c)))
		if c.Diff != "" {
			t.line(b, indent(lastLines(c.Diff, maxDiffLines)))
		}
	case jsonrpc.ToolFailed:
		t.line(b, fmt.Sprintf("✗ %s%s", title, took(c)))
		if c.Output != "" {
			t.line(b, indent(lastLines(c.Output, maxOutputLines)))
		}
	case jsonrpc.ToolCancelled:
		t.line(b, "✗ "+title+" (cancelled)")
	}
}

func (t *talk) question(b *strings.Builder, q jsonrpc.Question, now *shownPart) {
	switch {
	case q.Answered && q.Answer != "":
		t.line(b, "  answered: "+q.Answer)
		now.ended = true
	case q.Answered:
		now.ended = true
	case !now.begun:
		now.begun = true
		t.line(b, "? "+q.Text)
		for i, option := range q.Options {
			t.line(b, fmt.Sprintf("  %d. %s", i+1, option))
		}
	}
}

func noticeText(m jsonrpc.Message) string {
	text := m.Text
	if m.Error != nil {
		text = sentences(firstOf(text, m.Error.Message), m.Error.Hint)
	}
	return text
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func took(c jsonrpc.ToolCall) string {
	if c.DurationMS < 100 {
		return ""
	}
	return fmt.Sprintf(" (%.1f s)", float64(c.DurationMS)/1000)
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// lastLines keeps the last lines of a text, and says how many were left out.
func lastLines(text string, n int) string {
	lines := splitLines(text)
	if more := len(lines) - n; more > 0 {
		lines = append([]string{fmt.Sprintf("… %d lines before", more)}, lines[more:]...)
	}
	return strings.Join(lines, "\n")
}

// turnLine says how a turn ended and what was used.
func turnLine(s jsonrpc.AgentStatus, took time.Duration) string {
	line := string(s.Outcome)
	if took > 0 {
		line += fmt.Sprintf(" after %.1f s", took.Seconds())
	}
	u := s.Usage
	line += fmt.Sprintf("; session: %d tokens in, %d out", u.InputTokens+u.CacheReadTokens+u.CacheWriteTokens, u.OutputTokens)
	if u.Dollars > 0 {
		line += fmt.Sprintf(", $%.4f", u.Dollars)
	}
	if n := len(s.Uncommitted); n > 0 {
		line += fmt.Sprintf("; %d files uncommitted inside", n)
	}
	return line
}
