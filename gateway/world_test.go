package gateway

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/fakellm"
)

const secret = "sk-secret-0123456789"

// memory is a ledger without a file.
type memory struct {
	mu      sync.Mutex
	balance Balance
	err     error
}

func (m *memory) Update(change func(*Balance)) (Balance, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return Balance{}, m.err
	}
	change(&m.balance)
	return m.balance, nil
}

// world is a scripted model's server, a gateway, a session's account, and a client as it is in the container.
type world struct {
	t       *testing.T
	llm     *fakellm.Server
	url     string
	gateway *Gateway
	account *Account
	ledger  *memory
	client  *http.Client
	log     *bytes.Buffer
	changed chan struct{}
}

func newWorld(t *testing.T, scenario string, change ...func(*Settings)) *world {
	t.Helper()
	s, err := fakellm.Parse([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, llm: fakellm.New("claude-x", s), ledger: &memory{}, log: &bytes.Buffer{}, changed: make(chan struct{}, 100)}
	w.llm.Add("gpt-x", s)
	w.llm.Key = secret
	server := httptest.NewServer(w.llm)
	t.Cleanup(server.Close)
	w.url = server.URL
	env := map[string]string{"MY_KEY": secret}
	w.gateway = New(Config{
		Getenv: func(name string) string { return env[name] }, BackoffMin: time.Millisecond, BackoffMax: 5 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(&syncWriter{w: w.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	t.Cleanup(w.gateway.Close)
	settings := Settings{Models: []Model{
		{Name: "claude", Provider: Anthropic, Model: "claude-x", BaseURL: server.URL, APIKeyEnv: "MY_KEY", Prices: &Prices{Input: 3, Output: 15}},
		{Name: "gpt", Provider: OpenAI, Model: "gpt-x", BaseURL: server.URL + "/v1", APIKeyEnv: "MY_KEY"},
	}}
	for _, c := range change {
		c(&settings)
	}
	w.gateway.Configure(settings)
	w.account = w.gateway.Account(AccountConfig{Ledger: w.ledger, Changed: func() {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}})
	w.connect()
	return w
}

type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// connect makes the client, each of whose connections is served by the account as a channel of the container is.
func (w *world) connect() {
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	transport := &http.Transport{
		DisableCompression: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			inside, outside := net.Pipe()
			serving.Go(func() { w.account.Serve(ctx, outside) }) // ends with the connection; waited for below
			return inside, nil
		},
	}
	w.client = &http.Client{Transport: transport}
	w.t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		serving.Wait()
	})
}

func (w *world) ask(ctx context.Context, path, body string, header ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://host"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Anthropic-Version", "2023-06-01")
	req.Header.Set("X-Api-Key", "a word")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return w.client.Do(req)
}

// answer asks and reads the whole answer.
func (w *world) answer(path, body string, header ...string) (int, string, http.Header) {
	w.t.Helper()
	res, err := w.ask(w.t.Context(), path, body, header...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, string(text), res.Header
}

const (
	messages    = "/anthropic/v1/messages"
	completions = "/openai/v1/chat/completions"
	claudeHi    = `{"model":"claude-x","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}`
	gptHi       = `{"model":"gpt-x","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`
)

func (w *world) await(what string, ok func() bool) {
	w.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("not seen within a minute: %s", what)
		}
	}
}
