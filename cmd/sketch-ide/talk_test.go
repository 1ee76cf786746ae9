package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

func TestTalkShowsWhatIsNew(t *testing.T) {
	t.Parallel()
	talk := newTalk()
	talk.after = 1
	talk.mine["fix it"] = true
	var out strings.Builder
	for _, m := range []jsonrpc.Message{
		{Seq: 1, Kind: jsonrpc.MessageAssistant, Text: "of before", Done: true},
		{Seq: 2, Kind: jsonrpc.MessageUser, Text: "fix it", Done: true},
		{Seq: 3, Kind: jsonrpc.MessageAssistant, Text: "I look"},
		{Seq: 3, Kind: jsonrpc.MessageAssistant, Text: "I look at the"},
		{Seq: 3, Kind: jsonrpc.MessageAssistant, Text: "I look at the"},
		{Seq: 3, Kind: jsonrpc.MessageAssistant, Text: "I look at the tests.", Done: true},
		{Seq: 3, Kind: jsonrpc.MessageAssistant, Text: "I look at the tests.", Done: true},
		{Seq: 4, Kind: jsonrpc.MessageTool, Tool: &jsonrpc.ToolCall{Name: "bash", State: jsonrpc.ToolPending}},
		{Seq: 4, Kind: jsonrpc.MessageTool, Tool: &jsonrpc.ToolCall{Name: "bash", Title: "go test", State: jsonrpc.ToolRunning}},
		{Seq: 4, Kind: jsonrpc.MessageTool, Tool: &jsonrpc.ToolCall{Name: "bash", Title: "go test", State: jsonrpc.ToolRunning, Output: "x"}},
		{Seq: 5, Kind: jsonrpc.MessageAssistant, Text: "Half a line"},
		{Seq: 4, Kind: jsonrpc.MessageTool, Done: true, Tool: &jsonrpc.ToolCall{Title: "go test", State: jsonrpc.ToolFailed, Output: strings.Repeat("line\n", 20) + "FAIL", DurationMS: 1500}},
		{Seq: 5, Kind: jsonrpc.MessageAssistant, Text: "Half a line goes on\n", Done: true},
		{Seq: 6, Kind: jsonrpc.MessageTool, Done: true, Tool: &jsonrpc.ToolCall{Name: "patch", Title: "edit a.go", State: jsonrpc.ToolDone, Diff: "-a\n+b"}},
		{Seq: 7, Kind: jsonrpc.MessageQuestion, Question: &jsonrpc.Question{Text: "Which?", Options: []string{"this", "that"}}},
		{Seq: 7, Kind: jsonrpc.MessageQuestion, Done: true, Question: &jsonrpc.Question{Text: "Which?", Answer: "that", Answered: true}},
		{Seq: 8, Kind: jsonrpc.MessageUser, Text: "from elsewhere\ntwo lines", Done: true},
		{Seq: 9, Kind: jsonrpc.MessageNotice, Text: "The budget is used up.", Done: true},
		{Seq: 10, Kind: jsonrpc.MessageTool, Done: true, Tool: &jsonrpc.ToolCall{Title: "sleep", State: jsonrpc.ToolCancelled}},
	} {
		out.WriteString(talk.add(m))
	}
	want := "I look at the tests.\n▸ go test\nHalf a line\n✗ go test (1.5 s)\n  … 9 lines before\n" + strings.Repeat("  line\n", 11) +
		"  FAIL\n goes on\n✓ edit a.go\n  -a\n  +b\n? Which?\n  1. this\n  2. that\n  answered: that\n> from elsewhere\n> two lines\n· The budget is used up.\n✗ sleep (cancelled)\n"
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

// TestTalkForgets checks that an endless conversation does not grow memory, and that nothing of it is shown twice.
func TestTalkForgets(t *testing.T) {
	t.Parallel()
	talk := newTalk()
	for i := range int64(3 * maxShown) {
		m := jsonrpc.Message{Seq: i + 1, Kind: jsonrpc.MessageUser, Text: "hi", Done: i%2 == 0}
		if talk.add(m) == "" || talk.add(m) != "" {
			t.Fatalf("message %d is not shown once", m.Seq)
		}
	}
	if n := len(talk.shown); n > maxShown || talk.add(jsonrpc.Message{Seq: 1, Kind: jsonrpc.MessageUser, Text: "hi"}) != "" {
		t.Errorf("%d messages are remembered, or the first is shown again", n)
	}
}

func TestATerminalIsNotTakenOver(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	f := newFront(&out, false, false, "")
	f.talkFrom(0)
	f.MessageChanged("s", conversation.Message{ID: "m", Seq: 1, Kind: conversation.Assistant, Text: "a\x1b]0;evil\x07b\u202ec"})
	f.line("a line of ours")
	f.MessageChanged("s", conversation.Message{ID: "m", Seq: 1, Kind: conversation.Assistant, Text: "a\x1b]0;evil\x07b\u202ec and on", Done: true})
	if want := "a]0;evilbc\na line of ours\n and on\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestTurnsAreAwaited(t *testing.T) {
	t.Parallel()
	f := newFront(&bytes.Buffer{}, false, false, "")
	tell := func(s conversation.Status) { f.AgentChanged("s", s) }
	tell(conversation.Status{State: conversation.Idle, Turn: 1, Outcome: conversation.Done})
	type result struct {
		status jsonrpc.AgentStatus
		err    error
	}
	await := func(turn int) chan result {
		results := make(chan result, 1)
		go func() { // ends with the turn; its result is read by the test
			status, err := f.turns.await(t.Context(), turn, true)
			results <- result{status, err}
		}()
		return results
	}
	waiting := await(2)
	tell(conversation.Status{State: conversation.Thinking, Turn: 2})
	tell(conversation.Status{State: conversation.Idle, Turn: 2, Outcome: conversation.Budget})
	if r := <-waiting; r.err != nil || !errors.Is(outcomeError(r.status), errBudget) {
		t.Errorf("%+v", r)
	}
	tell(conversation.Status{State: conversation.Asking, Turn: 3})
	waiting = await(3)
	f.MessageChanged("s", conversation.Message{ID: "q", Seq: 9, Kind: conversation.Asked, Question: &conversation.Question{Text: "?", Options: []string{"a"}}})
	if r := <-waiting; !errors.Is(r.err, errAsked) {
		t.Errorf("%+v", r)
	}
	f.MessageChanged("s", conversation.Message{ID: "q", Seq: 9, Kind: conversation.Asked, Question: &conversation.Question{Answered: true}})
	if _, _, asked := f.turns.openQuestion(); asked {
		t.Error("an answered question is open")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.turns.await(cancelled, 3, true); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for outcome, want := range map[jsonrpc.TurnOutcome]error{
		jsonrpc.TurnDone: nil, jsonrpc.TurnFailed: exitError(1), jsonrpc.TurnBudget: errBudget, jsonrpc.TurnCancelled: exitError(130),
	} {
		if got := outcomeError(jsonrpc.AgentStatus{Outcome: outcome}); !errors.Is(got, want) {
			t.Errorf("%s: %v", outcome, got)
		}
	}
}

func TestSettingsFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "settings.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := settingsFlag{file: path}
	write(`{"sketch": { // nested
		"models": [{"model": "claude-x", "prices": {"input": 1, "output": 2}},], "instructions": "Be brief.", "coAuthor": false,
		"mcpServers": {"b": {"url": "http://x"}, "a": {"command": "srv", "args": ["-v"]}}, "baseImage": "from-file", "network": "bridge",
	}}`)
	s, err := f.decode(json.RawMessage(`{"network": "none"}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Models.Models) != 1 || s.Agent.Instructions != "Be brief." || !s.Agent.NoCoAuthor || s.BaseImage != "from-file" || s.Container.Network != "none" {
		t.Errorf("%+v", s)
	}
	if len(s.Agent.MCP) != 2 || s.Agent.MCP[0].Name != "a" || s.Agent.MCP[1].URL != "http://x" {
		t.Errorf("MCP servers: %+v", s.Agent.MCP)
	}
	write(`{"sketch.model": "m", "sketch.models": [{"model": "m"}], "editor.fontSize": 9}`)
	if s, err := f.decode(nil); err != nil || s.Models.Default != "m" || len(s.Models.Models) != 1 {
		t.Errorf("as VS Code writes them: %+v, %v", s.Models, err)
	}
	for _, bad := range []string{`[]`, `{`, `{"sketch": 1}`, `{"mcpServers": {"a": {}}}`, `{"coAuthor": "no"}`, `{"models": [{}]}`} {
		write(bad)
		if _, err := f.decode(nil); err == nil || explain(err).Kind != jsonrpc.KindSettings {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := (&settingsFlag{file: path + "x"}).decode(nil); err == nil {
		t.Error("a file that was named and is not there")
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ message, hint, want string }{
		{"it failed", "Try again.", "it failed. Try again."},
		{"It failed.", "Try again.", "It failed. Try again."},
		{"it failed", "", "it failed"},
		{"", "Try again.", "Try again."},
	} {
		if got := sentences(tt.message, tt.hint); got != tt.want {
			t.Errorf("%q and %q are %q, want %q", tt.message, tt.hint, got, tt.want)
		}
	}
}
