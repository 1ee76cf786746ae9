package loop

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
)

// BenchmarkResume measures how long it takes to go on with a transcript of 10,000 messages of 2 kB, as a model was sent and as people saw
// them.
func BenchmarkResume(b *testing.B) {
	dir := b.TempDir()
	transcript, loaded, err := conversation.Open(dir, nil)
	if err != nil {
		b.Fatal(err)
	}
	c := conversation.New(transcript, loaded)
	text := make([]byte, 2000)
	for i := range text {
		text[i] = "words and \"more\"\n"[i%17]
	}
	for i := range 10_000 {
		role, kind := llm.User, conversation.User
		if i%2 == 1 {
			role, kind = llm.Assistant, conversation.Assistant
		}
		data, err := json.Marshal(record{Add: &llm.Message{Role: role, Blocks: []llm.Block{{Text: string(text)}}}})
		if err != nil {
			b.Fatal(err)
		}
		c.Add(kind, i, func(m *conversation.Message) { m.Text = string(text) })
		c.Keep(conversation.Record{History: data})
	}
	if err := c.Trouble(); err != nil {
		b.Fatal(err)
	}
	transcript.Close()
	for b.Loop() {
		var history History
		transcript, loaded, err := conversation.Open(dir, history.Take)
		if err != nil {
			b.Fatal(err)
		}
		New(Config{Conversation: conversation.New(transcript, loaded), History: &history, Tools: func(Hooks) Toolset { return &toolset{} }})
		if len(history.messages) != 10_000 {
			b.Fatal(len(history.messages))
		}
		transcript.Close()
	}
}

// tokens is a model that says so many tokens without delay.
type tokens int

func (n tokens) Stream(_ context.Context, _ llm.Request, on func(llm.Delta)) (llm.Response, error) {
	for range n {
		on(llm.Delta{Text: "token "})
	}
	return llm.Response{Blocks: []llm.Block{{Text: "x"}}, Stop: llm.StopEnd}, nil
}

// BenchmarkToken measures what the loop and the conversation add to a streamed token.
func BenchmarkToken(b *testing.B) {
	c := conversation.New(nil, conversation.Loaded{})
	l := New(Config{Conversation: c, Model: tokens(b.N), Dir: b.TempDir(), Tools: func(Hooks) Toolset { return &toolset{} }})
	if err := l.Configure(conversation.Settings{Models: []conversation.Model{{Name: "m", Provider: llm.Anthropic}}}); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	b.ResetTimer()
	if _, err := l.Prompt(ctx, conversation.Prompt{Text: "go"}); err != nil {
		b.Fatal(err)
	}
	waitFor(func() bool { return c.Status().Outcome != "" })
}

// BenchmarkCancel measures from the request to cancel to the turn's end, while a tool runs. An operation is a whole turn; the metric is the
// part in question.
func BenchmarkCancel(b *testing.B) {
	var took time.Duration
	n := 0
	for b.Loop() {
		took += cancelOnce(b)
		n++
	}
	b.ReportMetric(float64(took.Microseconds())/float64(n), "µs/cancel")
}

func cancelOnce(b *testing.B) time.Duration {
	b.Helper()
	c := conversation.New(nil, conversation.Loaded{})
	l := New(Config{Conversation: c, Model: waiter{}, Dir: b.TempDir(), Tools: func(Hooks) Toolset { return &toolset{} }})
	if err := l.Configure(conversation.Settings{Models: []conversation.Model{{Name: "m", Provider: llm.Anthropic}}}); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	if _, err := l.Prompt(ctx, conversation.Prompt{Text: "go"}); err != nil {
		b.Fatal(err)
	}
	waitFor(func() bool {
		page := c.Latest(0, 1)
		return page.Messages[0].Tool != nil && page.Messages[0].Tool.State == conversation.ToolRunning
	})
	began := time.Now()
	if err := l.Cancel(""); err != nil {
		b.Fatal(err)
	}
	waitFor(func() bool { return c.Status().Outcome != "" })
	return time.Since(began)
}

func waitFor(condition func() bool) {
	ticker := time.NewTicker(100 * time.Microsecond)
	defer ticker.Stop()
	for !condition() {
		<-ticker.C
	}
}

// waiter is a model that calls a tool which waits.
type waiter struct{}

func (waiter) Stream(context.Context, llm.Request, func(llm.Delta)) (llm.Response, error) {
	return llm.Response{Blocks: []llm.Block{{Call: &llm.Call{ID: "a", Name: "wait", Input: json.RawMessage("{}")}}}, Stop: llm.StopTools}, nil
}
