package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
)

// logs collects what is logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func run(t *testing.T, server Server) (*Client, *logs) {
	t.Helper()
	server.Name = "test"
	log := &logs{}
	c := New(Config{Server: server, Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(log, nil)), Backoff: 10 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	// Ended and waited for by the clean-up.
	go func() { defer close(ended); c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return c, log
}

func connected(c *Client) bool { _, err := c.State(); return err == nil }

func call(t *testing.T, c *Client, name, text string) Result {
	t.Helper()
	in, err := json.Marshal(input{text})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Call(t.Context(), name, in)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

func process(t *testing.T, mode string) Server {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Server{Command: self, Env: map[string]string{"MCP_TEST_SERVER": mode, "FROM_CONFIG": "home is ${HOME}, $5"}}
}

func TestProcess(t *testing.T) {
	t.Parallel()
	c, log := run(t, process(t, "yes"))
	if r := call(t, c, "echo", "hi"); r.Text != "hi" || r.Failed {
		t.Errorf("%+v", r)
	}
	if r := call(t, c, "env", "FROM_CONFIG"); r.Text != "home is "+os.Getenv("HOME")+", $5" {
		t.Errorf("%+v", r)
	}
	if r := call(t, c, "fail", ""); r.Text != "it cannot be" || !r.Failed {
		t.Errorf("%+v", r)
	}
	r := call(t, c, "many", "")
	if want := "one\n[sound: audio/wav, 3 bytes]\n[resource file:///x x]\nfile:///y:\nwhy\nfile:///z"; r.Text != want || len(r.Images) != 2 || string(r.Images[0]) != "PNG" || string(r.Images[1]) != "GIF" {
		t.Errorf("%+v", r)
	}
	tools, err := c.State()
	if err != nil || len(tools) != 8 || tools[0].Name != "echo" || tools[0].Description != "the tool echo" || !strings.Contains(string(tools[0].Schema), `"type":"object"`) {
		t.Errorf("%+v, %v", tools, err)
	}
	tooltest.Eventually(t, "standard error is logged", func() bool { return strings.Contains(log.String(), "begins") })
	if _, err := c.Call(t.Context(), "nope", nil); err == nil {
		t.Error("unknown tool: no error")
	}
	if _, err := c.Call(t.Context(), "echo", json.RawMessage(`{"text":5}`)); err == nil {
		if r, _ := c.Call(t.Context(), "echo", json.RawMessage(`{"text":5}`)); !r.Failed {
			t.Error("bad input: no error")
		}
	}
}

func TestToolsThatCome(t *testing.T) {
	t.Parallel()
	c, _ := run(t, process(t, "yes"))
	call(t, c, "grow", "")
	tooltest.Eventually(t, "the new tool is known", func() bool { tools, _ := c.State(); return len(tools) == 9 })
	if r := call(t, c, "grown", ""); r.Text != "up" {
		t.Errorf("%+v", r)
	}
}

func TestProcessDiesAndIsStartedAgain(t *testing.T) {
	t.Parallel()
	c, _ := run(t, process(t, "yes"))
	first := call(t, c, "pid", "").Text
	if _, err := c.Call(t.Context(), "exit", nil); err == nil {
		t.Error("no error of a call whose server ended")
	}
	tooltest.Eventually(t, "another process answers", func() bool {
		r, err := c.Call(t.Context(), "pid", nil)
		return err == nil && r.Text != first
	})
	if tools, _ := c.State(); len(tools) != 8 {
		t.Errorf("%d tools", len(tools))
	}
}

func TestCancelledCall(t *testing.T) {
	t.Parallel()
	c, _ := run(t, process(t, "yes"))
	tooltest.Eventually(t, "connected", func() bool { return connected(c) })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := c.Call(ctx, "hang", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if r := call(t, c, "echo", "still there"); r.Text != "still there" {
		t.Errorf("%+v", r)
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	for want, server := range map[string]Server{
		"no-such-program": {Command: "no-such-program"}, "begins": process(t, "fails"), "neither a command nor a URL": {}, "no http URL": {URL: "ftp://x"},
		"connection refused": {URL: "http://127.0.0.1:1/"},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			c, _ := run(t, server)
			tooltest.Eventually(t, "it says why", func() bool { _, err := c.State(); return err != nil && strings.Contains(err.Error(), want) })
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := c.Call(ctx, "echo", nil); !errors.Is(err, context.Canceled) {
				t.Errorf("call: %v", err)
			}
		})
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	server := newServer()
	t.Cleanup(func() { endSessions(server) })
	for name, handler := range map[string]http.Handler{
		"streamable": mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil),
		"sse":        mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return server }, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var keyed atomic.Int32
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Key") == os.Getenv("HOME")+"!" {
					keyed.Add(1)
				}
				handler.ServeHTTP(w, r)
			}))
			t.Cleanup(web.Close)
			c, _ := run(t, Server{URL: web.URL, Headers: map[string]string{"X-Key": "${HOME}!"}})
			if r := call(t, c, "echo", "hi"); r.Text != "hi" || keyed.Load() == 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// endSessions ends what a server in this process still has.
func endSessions(server *mcp.Server) {
	for session := range server.Sessions() {
		session.Close()
	}
}

// TestHTTPServerComesBack loses the server's sessions, as its restart does.
func TestHTTPServerComesBack(t *testing.T) {
	t.Parallel()
	var handler atomic.Pointer[mcp.StreamableHTTPHandler]
	fresh := func() {
		server := newServer()
		t.Cleanup(func() { endSessions(server) })
		handler.Store(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	}
	fresh()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	c, _ := run(t, Server{URL: web.URL})
	call(t, c, "echo", "before")
	fresh()
	web.CloseClientConnections()
	tooltest.Eventually(t, "it answers again", func() bool {
		r, err := c.Call(t.Context(), "echo", json.RawMessage(`{"text":"after"}`))
		return err == nil && r.Text == "after"
	})
}

func TestServersAreBounded(t *testing.T) {
	t.Parallel()
	if _, err := newTool(&mcp.Tool{Name: strings.Repeat("x", 200)}); err == nil {
		t.Error("long name: no error")
	}
	if _, err := newTool(&mcp.Tool{Name: "x", InputSchema: map[string]any{"x": strings.Repeat("x", maxSchema)}}); err == nil {
		t.Error("long schema: no error")
	}
	tool, err := newTool(&mcp.Tool{Name: "x", Description: strings.Repeat("é", maxDescription)})
	if err != nil || len(tool.Description) > maxDescription+10 || string(tool.Schema) != `{"type":"object"}` {
		t.Errorf("%v, %d bytes, %s", err, len(tool.Description), tool.Schema)
	}
	many := &mcp.CallToolResult{}
	for range maxContents + 5 {
		many.Content = append(many.Content, &mcp.TextContent{Text: "x"})
	}
	if r := read(many); !strings.HasSuffix(r.Text, "[5 more parts]") {
		t.Errorf("%q", r.Text)
	}
	if r := read(&mcp.CallToolResult{StructuredContent: map[string]any{"a": 1}}); r.Text != `{"a":1}` {
		t.Errorf("%q", r.Text)
	}
}

func TestLineLog(t *testing.T) {
	t.Parallel()
	out := &logs{}
	l := &lineLog{log: slog.New(slog.NewTextHandler(out, nil))}
	l.Write([]byte("one\ntwo "))
	l.Write([]byte("halves\n" + strings.Repeat("x", 5000)))
	l.Write([]byte(strings.Repeat("x", 5000) + "\n\xff\n"))
	if text := out.String(); !strings.Contains(text, `"two halves"`) || len(text) > 2000 {
		t.Errorf("%d bytes: %.300s", len(text), text)
	}
	if said := l.said(); !strings.Contains(said, "two halves") || len(said) > 1200 {
		t.Errorf("%d bytes", len(said))
	}
}
