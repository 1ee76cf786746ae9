package conversation

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, dir string) (*Conversation, *Transcript, []Record) {
	t.Helper()
	var records []Record
	transcript, loaded, err := Open(dir, func(r Record) { records = append(records, r) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { transcript.Close() })
	return New(transcript, loaded), transcript, records
}

func TestConversationSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, _, _ := open(t, dir)
	c.AddWith(User, 1, &Prompt{Text: "hello", Context: []Snippet{{Path: "a.go"}}}, func(m *Message) { m.Text = "hello" })
	slow := c.Begin(Tool, 1, func(m *Message) { m.Tool = &ToolCall{ID: "t1", Name: "bash"} })
	c.Begin(Assistant, 1, nil).Done(func(m *Message) { m.Text = "done before" })
	c.Begin(Assistant, 1, nil) // never done: lost with the process
	slow.Done(func(m *Message) { m.Tool.State = ToolDone })
	c.Keep(Record{History: json.RawMessage(`{"n":1}`)})
	c.SetStatus(func(s *Status) { s.State, s.Turn, s.Todo = Idle, 1, []TodoItem{{ID: "1", Text: "x", Status: "done"}} })
	c.KeepStatus()
	if err := c.Trouble(); err != nil {
		t.Fatal(err)
	}
	again, _, records := open(t, dir)
	want := c.Latest(0, 0)
	want.Messages = want.Messages[:3]
	if diff := cmp.Diff(want, again.Latest(0, 0)); diff != "" {
		t.Error(diff)
	}
	if len(records) != 6 || records[1].Prompt == nil || records[1].Prompt.Context[0].Path != "a.go" || string(records[4].History) != `{"n":1}` {
		t.Errorf("%+v", records)
	}
	if next := again.Add(User, 2, nil); next.Seq != 4 {
		t.Errorf("the next place is %d", next.Seq)
	}
}

func TestTornAndBrokenLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, transcript, _ := open(t, dir)
	c.Add(User, 1, func(m *Message) { m.Text = "one" })
	path := filepath.Join(dir, "transcript.jsonl")
	add := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	transcript.Close()
	add("nonsense\n" + `{"message":{"id":"x","seq":"y"}}` + "\n" + `{"message":{"id":"torn","seq":2,"text":"` + strings.Repeat("x", 1<<20))
	again, _, _ := open(t, dir)
	again.Add(User, 1, func(m *Message) { m.Text = "two" })
	last, _, _ := open(t, dir)
	page := last.Latest(0, 0)
	if len(page.Messages) != 2 || page.Messages[1].Text != "two" || page.Messages[1].Seq != 2 {
		t.Errorf("%+v", page.Messages)
	}
	_, loaded, err := Open(dir, nil)
	if err != nil || loaded.Broken != 2 {
		t.Errorf("%d broken lines, %v", loaded.Broken, err)
	}
}

// A full disk leaves the lines before it whole, and the conversation goes on in memory.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	c := New(&Transcript{file: full}, Loaded{})
	c.Add(User, 1, func(m *Message) { m.Text = "hello" })
	if err := c.Trouble(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("%v", err)
	}
	if c.Trouble() != nil || len(c.Latest(0, 0).Messages) != 1 {
		t.Error("the message is lost, or its trouble told twice")
	}
}

func FuzzTranscript(f *testing.F) {
	f.Add([]byte("{\"epoch\":\"e\"}\n{\"message\":{\"id\":\"1\",\"seq\":1}}\n{\"message\":{\"id\":\"0\",\"seq\":-1}}\n{\"sta"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var l loader
		end, err := l.read(bytes.NewReader(data))
		if err != nil {
			return
		}
		if end > int64(len(data)) || end > 0 && data[end-1] != '\n' {
			t.Fatalf("the last whole line ends at %d", end)
		}
		m := New(nil, l.loaded).Add(User, 1, nil)
		for _, before := range l.loaded.Messages {
			if before.Seq >= m.Seq {
				t.Fatalf("place %d after %d", m.Seq, before.Seq)
			}
		}
	})
}
