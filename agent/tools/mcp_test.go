package tools

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
)

type mcpInput struct {
	Text string `json:"text,omitempty"`
}

// mcpServer is a real server that answers at a URL.
func mcpServer(t *testing.T, names ...string) string {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 3000, 10))); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		mcp.AddTool(server, &mcp.Tool{Name: name, Description: "says " + name}, func(ctx context.Context, _ *mcp.CallToolRequest, in mcpInput) (*mcp.CallToolResult, any, error) {
			if in.Text == "wait" {
				<-ctx.Done()
			}
			return &mcp.CallToolResult{Content: []mcp.Content{
				&mcp.TextContent{Text: name + " " + in.Text}, &mcp.ImageContent{MIMEType: "image/png", Data: pic.Bytes()}, &mcp.ImageContent{MIMEType: "image/png", Data: []byte("no")},
			}}, nil, nil
		})
	}
	web := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	t.Cleanup(func() {
		web.Close()
		for session := range server.Sessions() {
			session.Close()
		}
	})
	return web.URL
}

func names(t *testing.T, s *Set) string {
	t.Helper()
	var all []string
	for _, tool := range s.Tools(t.Context()) {
		if name := tool.Spec().Name; strings.Contains(name, "say") {
			all = append(all, name)
		}
	}
	return strings.Join(all, " ")
}

func TestMCP(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	one, two := mcpServer(t, "say.it", "say it", strings.Repeat("say", 40)), mcpServer(t, "say")
	s.SetMCP([]MCPServer{{Name: "one", URL: one}, {Name: "two", URL: two}, {Name: "one", URL: two}})
	got := names(t, s)
	if !strings.HasPrefix(got, "one_say_it one_saysay") || !strings.HasSuffix(got, " two_say") || len(strings.Fields(got)[1]) != maxToolName {
		t.Fatalf("tools %q", got)
	}
	r := s.use(t, "two_say", `{"text":"hi"}`)
	r.want(t, false, "say hi\n[an image that cannot be shown")
	if len(r.Images) != 1 || r.Images[0].MIMEType != "image/png" {
		t.Errorf("%d images", len(r.Images))
	}
	s.check(t, "two_say", ``, false, "say ")
	s.check(t, "two_say", `[]`, true, "no JSON object")
	s.check(t, "two_say", `{"text":5}`, true, "text")
	if title := s.tool(t, "two_say").Title([]byte(`{"text":"what it is"}`)); title != "what it is" {
		t.Errorf("title %q", title)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.useWith(ctx, t, "two_say", `{"text":"wait"}`); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	s.SetMCP([]MCPServer{{Name: "three", URL: one}})
	if got := names(t, s); strings.Contains(got, "two_say") || !strings.Contains(got, "three_say_it") {
		t.Errorf("tools %q", got)
	}
	s.SetMCP(nil)
	if got := names(t, s); got != "" {
		t.Errorf("tools %q", got)
	}
}

func TestMCPServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	s.SetMCP([]MCPServer{{Name: "gone", Command: "no-such-program"}})
	tooltest.Eventually(t, "it is told", func() bool {
		return strings.Contains(s.JobsNote(), "MCP server gone is not connected: start no-such-program: ")
	})
	if note := s.JobsNote(); note != "" {
		t.Errorf("told twice: %q", note)
	}
}

func TestReadImage(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 4000, 40))); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"pic.png": pic.Bytes(), "broken.png": pic.Bytes()[:20]} {
		if err := os.WriteFile(filepath.Join(s.cfg.Dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := s.use(t, "read_file", `{"path":"pic.png"}`)
	if r.want(t, false, "pic.png: image/png"); len(r.Images) != 1 {
		t.Errorf("%d images", len(r.Images))
	}
	s.check(t, "read_file", `{"path":"broken.png"}`, true, "cannot be shown")
}
