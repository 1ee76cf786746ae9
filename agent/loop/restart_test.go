package loop

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
)

func TestRestartBetweenTurns(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"text":"My name is Ada."},{"tool":"todo","input":{"text":"plan"}}],"usage":{"input":9,"output":9}},
		{"reply":[{"text":"ok"}]},
		{"expect":{"anywhere":["My name is Ada."],"last":["who"]},"reply":[{"text":"Ada."}]}`,
		func(w *world) {
			before := w.say("hi", conversation.Done)
			w.restart()
			page := w.conversation.Latest(0, 0)
			if len(page.Messages) != len(before.Messages) || page.Status.State != conversation.Idle || page.Status.Outcome != conversation.Done ||
				len(page.Status.Todo) != 1 || page.Status.Usage != before.Status.Usage {
				w.t.Errorf("%s\n%+v", describe(page), page.Status)
			}
			if page.Status.ContextSize == 0 && w.provider == llm.Anthropic {
				w.t.Error("the size of the context is not known")
			}
			if a := w.prompt("who"); a.Turn != 2 {
				w.t.Errorf("%+v", a)
			}
			w.over(2, conversation.Done)
		})
}

// A process that ends in the middle of a turn leaves calls without results and prompts that the model has not seen. Nothing is asked
// before somebody says something.
func TestRestartInATurn(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"text":"Let me see."},{"tool":"wait","id":"a"},{"tool":"echo","input":{"text":"quick"}}]},
		{"expect":{"last":["interrupted","typed meanwhile","go on"],"anywhere":["Let me see."]},"reply":[{"text":"ok"}]}`,
		func(w *world) {
			w.prompt("hi")
			w.until("the tool", func(p conversation.Page) bool { return contains(p, "wait running") && contains(p, "echo done") })
			w.prompt("typed meanwhile")
			w.crash()
			page := w.conversation.Latest(0, 0)
			if page.Status.Outcome != conversation.Failed || page.Status.State != conversation.Idle || !contains(page, "started anew") || len(w.fake.Requests()) != 1 {
				w.t.Errorf("%s\n%+v", describe(page), page.Status)
			}
			w.say("go on", conversation.Done)
		})
}

// crash lets another process go on from what is on the disk now, with a torn last line.
func (w *world) crash() {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.state, "transcript.jsonl"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.stop()
	w.state = w.t.TempDir()
	data = append(data, `{"history":{"add":{"role":"us`...)
	if err := os.WriteFile(filepath.Join(w.state, "transcript.jsonl"), data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.start()
}

// TestMend writes messages in short: u is the user's words, a the model's, c calls 1 and 2, r their results, s the result of 2 alone, and a space
// ends a message.
func TestMend(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ have, want string }{
		{"", ""},
		{"u", "u"},
		{"a", ""},
		{"a u", "u"},
		{"u u", "uu"},
		{"u a a u", "u aa u"},
		{"u c", "u c ??"},
		{"u c r", "u c 12"},
		{"u c a", "u c ?? a"},
		{"u c u", "u c ??u"},
		{"u c su", "u c ?2u"},
		{"u c ur", "u c 12u"},
		{"u r", "u"},
		{"u r u", "uu"},
		{"u ac r a u", "u ac 12 a u"},
		{"u c c", "u c ?? c ??"},
		{"c r u", "u"},
	} {
		var messages []llm.Message
		for word := range strings.FieldsSeq(test.have) {
			messages = append(messages, message(word))
		}
		var words []string
		for i, m := range mend(messages) {
			if want := []llm.Role{llm.User, llm.Assistant}[i%2]; m.Role != want {
				t.Errorf("%q: message %d is of the %s", test.have, i, m.Role)
			}
			words = append(words, word(m))
		}
		if got := strings.Join(words, " "); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.have, got, test.want)
		}
	}
}

func message(word string) llm.Message {
	m := llm.Message{Role: llm.User}
	for _, c := range word {
		switch c {
		case 'u':
			m.Blocks = append(m.Blocks, llm.Block{Text: "u"})
		case 'a':
			m.Role = llm.Assistant
			m.Blocks = append(m.Blocks, llm.Block{Text: "a"})
		case 'c':
			m.Role = llm.Assistant
			m.Blocks = append(m.Blocks, llm.Block{Call: &llm.Call{ID: "1"}}, llm.Block{Call: &llm.Call{ID: "2"}})
		case 'r':
			m.Blocks = append(m.Blocks, llm.Block{Result: &llm.Result{ID: "2", Text: "2"}}, llm.Block{Result: &llm.Result{ID: "1", Text: "1"}})
		case 's':
			m.Blocks = append(m.Blocks, llm.Block{Result: &llm.Result{ID: "2", Text: "2"}})
		}
	}
	return m
}

func word(m llm.Message) string {
	word := ""
	for _, b := range m.Blocks {
		switch {
		case b.Result != nil && b.Result.Text == interruptedText:
			word += "?"
		case b.Result != nil:
			word += b.Result.Text
		case b.Call != nil && b.Call.ID == "1":
			word += "c"
		default:
			word += b.Text
		}
	}
	return word
}

// FuzzHistory: whatever a transcript says, what is made of it can be sent.
func FuzzHistory(f *testing.F) {
	f.Add([]byte(`{"history":{"add":{"role":"assistant","blocks":[{"call":{"id":"1","name":"x","input":{}}}]}}}`+"\n"+`{"history":{"set":[{"role":"user","blocks":[{"text":"x"}]}],"took":["a"]}}`), "uc")
	f.Add([]byte(`{"history":{"add":{"role":"user","blocks":[{"result":{"id":"1"}}]}}}`), "c c s u")
	f.Fuzz(func(t *testing.T, data []byte, words string) {
		var h History
		for line := range bytes.Lines(data) {
			var r conversation.Record
			if json.Unmarshal(line, &r) == nil {
				h.Take(r)
			}
		}
		for word := range strings.FieldsSeq(words) {
			h.add(message(word))
		}
		checkValid(t, mend(h.messages))
	})
}

func checkValid(t *testing.T, messages []llm.Message) {
	t.Helper()
	var open []llm.Call
	for i, m := range messages {
		if want := []llm.Role{llm.User, llm.Assistant}[i%2]; m.Role != want {
			t.Fatalf("message %d is of %q", i, m.Role)
		}
		for j, c := range open {
			if len(m.Blocks) <= j || m.Blocks[j].Result == nil || m.Blocks[j].Result.ID != c.ID {
				t.Fatalf("call %q of message %d has no result in its place", c.ID, i-1)
			}
		}
		for _, b := range m.Blocks[len(open):] {
			if b.Result != nil {
				t.Fatalf("message %d has a result of nothing", i)
			}
		}
		if len(m.Blocks) == 0 {
			t.Fatalf("message %d is empty", i)
		}
		open = calls(m.Blocks)
		if m.Role == llm.User {
			open = nil
		}
	}
	if len(open) > 0 {
		t.Fatal("the last message has calls")
	}
}

// The model that a prompt chose stays chosen.
func TestRestartKeepsTheModel(t *testing.T) {
	t.Parallel()
	both(t, `{"reply":[{"text":"ok"}]}`, func(w *world) {
		choose := func() {
			models := []conversation.Model{{Name: "first", Provider: w.provider, Model: "none"}, {Name: "second", Provider: w.provider, Model: "m"}}
			if err := w.loop.Configure(conversation.Settings{Models: models}); err != nil {
				w.t.Fatal(err)
			}
		}
		choose()
		if _, err := w.loop.Prompt(w.t.Context(), conversation.Prompt{Text: "hi", Model: "second"}); err != nil {
			w.t.Fatal(err)
		}
		w.over(1, conversation.Done)
		w.restart()
		choose()
		if s := w.conversation.Status(); s.Model != "second" {
			w.t.Errorf("the model is %q", s.Model)
		}
	})
}
