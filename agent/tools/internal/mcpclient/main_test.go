package mcpclient

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"
)

// TestMain runs the tests, or is a server that they start.
func TestMain(m *testing.M) {
	if os.Getenv("MCP_TEST_SERVER") != "" {
		serve()
		return
	}
	goleak.VerifyTestMain(m)
}

// serve is a real server over the standard streams.
func serve() {
	fmt.Fprintln(os.Stderr, "server", os.Getpid(), "begins")
	if os.Getenv("MCP_TEST_SERVER") == "fails" {
		os.Exit(3)
	}
	if err := newServer().Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

type input struct {
	Text string `json:"text,omitempty"`
}

// newServer has one tool for each kind of answer.
func newServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	add := func(name string, run func(ctx context.Context, in input) *mcp.CallToolResult) {
		mcp.AddTool(server, &mcp.Tool{Name: name, Description: "the tool " + name}, func(ctx context.Context, _ *mcp.CallToolRequest, in input) (*mcp.CallToolResult, any, error) {
			return run(ctx, in), nil, nil
		})
	}
	text := func(s string) *mcp.CallToolResult {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
	}
	add("echo", func(_ context.Context, in input) *mcp.CallToolResult { return text(in.Text) })
	add("env", func(_ context.Context, in input) *mcp.CallToolResult { return text(os.Getenv(in.Text)) })
	add("pid", func(context.Context, input) *mcp.CallToolResult { return text(strconv.Itoa(os.Getpid())) })
	add("fail", func(context.Context, input) *mcp.CallToolResult {
		r := text("it cannot be")
		r.IsError = true
		return r
	})
	add("exit", func(context.Context, input) *mcp.CallToolResult { os.Exit(1); return nil })
	add("hang", func(ctx context.Context, _ input) *mcp.CallToolResult { <-ctx.Done(); return text("") })
	add("many", func(context.Context, input) *mcp.CallToolResult {
		return &mcp.CallToolResult{Content: []mcp.Content{
			&mcp.TextContent{Text: "one"},
			&mcp.ImageContent{MIMEType: "image/png", Data: []byte("PNG")},
			&mcp.AudioContent{MIMEType: "audio/wav", Data: []byte("WAV")},
			&mcp.ResourceLink{URI: "file:///x", Name: "x"},
			&mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: "file:///y", Text: "why"}},
			&mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: "file:///z", MIMEType: "image/gif", Blob: []byte("GIF")}},
		}}
	})
	add("grow", func(context.Context, input) *mcp.CallToolResult {
		add("grown", func(context.Context, input) *mcp.CallToolResult { return text("up") })
		return text("done")
	})
	return server
}
