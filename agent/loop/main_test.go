package loop

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
	"github.com/sketch-ide/sketch-ide/agent/tools"
	"github.com/sketch-ide/sketch-ide/internal/fakellm"
	"github.com/sketch-ide/sketch-ide/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; none should need it.
const patience = time.Minute

// world is a loop with a scripted model.
type world struct {
	t            *testing.T
	fake         *fakellm.Server
	loop         *Loop
	conversation *conversation.Conversation
	transcript   *conversation.Transcript
	tools        *toolset
	dir          string
	state        string
	provider     string
	away         *flag // the host
	stop         func()
}

type flag struct {
	mu sync.Mutex
	on bool
}

func (f *flag) set(on bool) { f.mu.Lock(); defer f.mu.Unlock(); f.on = on }
func (f *flag) get() bool   { f.mu.Lock(); defer f.mu.Unlock(); return f.on }

// both runs a test with either API.
func both(t *testing.T, steps string, test func(w *world)) {
	t.Helper()
	for _, provider := range []string{llm.Anthropic, llm.OpenAI} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, provider, steps)
			test(w)
			w.check()
		})
	}
}

func newWorld(t *testing.T, provider, steps string) *world {
	t.Helper()
	s, err := fakellm.Parse([]byte(`{"steps":[` + steps + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, fake: fakellm.New("m", s), dir: t.TempDir(), state: t.TempDir(), provider: provider, away: &flag{}}
	w.start()
	return w
}

// start starts a process, or the one after it.
func (w *world) start() {
	t := w.t
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer key")
		r.Header.Set("X-Api-Key", "key")
		w.fake.ServeHTTP(rw, r)
	}))
	model := llm.New(llm.Config{Dial: func(ctx context.Context) (net.Conn, error) {
		if w.away.get() {
			return nil, os.ErrDeadlineExceeded
		}
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}})
	var history History
	transcript, loaded, err := conversation.Open(w.state, history.Take)
	if err != nil {
		t.Fatal(err)
	}
	w.transcript, w.conversation = transcript, conversation.New(transcript, loaded)
	w.tools = &toolset{extra: map[string]tools.Tool{}}
	w.loop = New(Config{
		Conversation: w.conversation, History: &history, Model: model, Dir: w.dir, State: w.state,
		Ports: func(context.Context) (ports.Snapshot, error) { return w.tools.snapshot(), nil },
		Notes: func() string { return w.tools.take(&w.tools.news) },
		Tools: func(h Hooks) Toolset {
			w.tools.hooks = h
			return w.tools
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.loop.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		model.Close()
		server.CloseClientConnections()
		server.Close()
		transcript.Close()
	})
	t.Cleanup(func() { w.stop() })
	w.configure(conversation.Model{})
}

func (w *world) configure(m conversation.Model) {
	w.t.Helper()
	m.Name, m.Provider, m.Model = "mine", w.provider, "m"
	if err := w.loop.Configure(conversation.Settings{Models: []conversation.Model{m}}); err != nil {
		w.t.Fatal(err)
	}
}

// restart ends the process and starts the next one.
func (w *world) restart() {
	w.t.Helper()
	w.stop()
	w.start()
}

func (w *world) prompt(text string) conversation.Accepted {
	w.t.Helper()
	accepted, err := w.loop.Prompt(w.t.Context(), conversation.Prompt{Text: text})
	if err != nil {
		w.t.Fatal(err)
	}
	return accepted
}

// until waits for the conversation to be as it should.
func (w *world) until(what string, good func(conversation.Page) bool) conversation.Page {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		page := w.conversation.Latest(0, 1000)
		if good(page) {
			return page
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			w.t.Fatalf("waited in vain: %s\n%s\n%v", what, describe(page), w.fake.Faults())
		}
	}
}

// over waits for the end of a turn.
func (w *world) over(turn int, outcome conversation.Outcome) conversation.Page {
	w.t.Helper()
	return w.until("the end of the turn", func(p conversation.Page) bool {
		if p.Status.State == conversation.Idle && p.Status.Turn == turn && p.Status.Outcome != outcome && p.Status.Outcome != "" {
			w.t.Fatalf("the turn ended %q, want %q\n%s\n%v", p.Status.Outcome, outcome, describe(p), w.fake.Faults())
		}
		return p.Status.State == conversation.Idle && p.Status.Turn == turn && p.Status.Outcome == outcome
	})
}

// say prompts and waits for the end of the turn.
func (w *world) say(text string, outcome conversation.Outcome) conversation.Page {
	w.t.Helper()
	return w.over(w.prompt(text).Turn, outcome)
}

// check looks for requests that a real server would refuse.
func (w *world) check() {
	w.t.Helper()
	if faults := w.fake.Faults(); len(faults) > 0 {
		w.t.Error(faults)
	}
	if left := w.fake.Left("m"); left > 0 {
		w.t.Errorf("%d steps were not played", left)
	}
}

// describe is a conversation in short: a line a message.
func describe(p conversation.Page) string {
	var b strings.Builder
	for _, m := range p.Messages {
		b.WriteString(string(m.Kind) + ": " + conversation.Clip(m.Text, 300))
		if m.Tool != nil {
			b.WriteString(m.Tool.Name + " " + string(m.Tool.State) + " " + conversation.Clip(m.Tool.Output, 300))
		}
		if m.Question != nil {
			b.WriteString(m.Question.Text + " " + m.Question.Answer)
		}
		b.WriteString("\n")
	}
	b.WriteString(string(p.Status.State) + " " + string(p.Status.Outcome))
	return b.String()
}

func lines(p conversation.Page) []string { return strings.Split(describe(p), "\n") }

func contains(p conversation.Page, text string) bool { return strings.Contains(describe(p), text) }

// toolset is tools for tests.
type toolset struct {
	hooks Hooks

	mu     sync.Mutex
	extra  map[string]tools.Tool
	jobs   string
	news   string
	open   []uint16
	closed bool
}

func (s *toolset) Tools(context.Context) []tools.Tool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []tools.Tool{
		tool{"echo", func(_ context.Context, in input, _ func(string)) (tools.Result, error) {
			return tools.Result{Text: in.Text}, nil
		}},
		tool{"fail", func(context.Context, input, func(string)) (tools.Result, error) {
			return tools.Result{Text: "no such thing", Failed: true}, nil
		}},
		tool{"wait", func(ctx context.Context, _ input, output func(string)) (tools.Result, error) {
			output("waiting")
			<-ctx.Done()
			return tools.Result{Text: "so far"}, ctx.Err()
		}},
		tool{"ask", func(ctx context.Context, in input, _ func(string)) (tools.Result, error) {
			answer, err := s.hooks.Ask(ctx, in.Text, []string{"yes", "no"})
			return tools.Result{Text: "answer " + answer}, err
		}},
		tool{"todo", func(_ context.Context, in input, _ func(string)) (tools.Result, error) {
			s.hooks.Todo([]tools.TodoItem{{ID: "1", Text: in.Text, Status: "active"}})
			return tools.Result{Text: "noted"}, nil
		}},
		tool{"done", func(_ context.Context, in input, _ func(string)) (tools.Result, error) {
			return tools.Result{Text: in.Text, EndTurn: true}, nil
		}},
	}
	for _, t := range s.extra {
		all = append(all, t)
	}
	return all
}

func (s *toolset) Shortened()       {}
func (s *toolset) JobsNote() string { return s.take(&s.jobs) }

// take returns a note once.
func (s *toolset) take(from *string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	note := *from
	*from = ""
	return note
}

func (s *toolset) Close() { s.mu.Lock(); defer s.mu.Unlock(); s.closed = true }

func (s *toolset) snapshot() ports.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	var snapshot ports.Snapshot
	for _, number := range slices.Sorted(slices.Values(s.open)) {
		snapshot.Ports = append(snapshot.Ports, ports.Port{Number: number, Process: "node"})
	}
	return snapshot
}

func (s *toolset) add(name string, run func(ctx context.Context, in input, output func(string)) (tools.Result, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.extra[name] = tool{name, run}
}

type input struct {
	Text string `json:"text"`
	Path string `json:"path"`
}

type tool struct {
	name string
	run  func(ctx context.Context, in input, output func(string)) (tools.Result, error)
}

func (t tool) Spec() tools.Spec {
	return tools.Spec{Name: t.name, Description: "does " + t.name, Schema: json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}}}`)}
}

func (t tool) Title(json.RawMessage) string { return "does " + t.name }

func (t tool) Run(ctx context.Context, call tools.Call) (tools.Result, error) {
	var in input
	if err := json.Unmarshal(call.Input, &in); err != nil {
		return tools.Result{}, err
	}
	return t.run(ctx, in, call.Output)
}

func (w *world) put(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}
