package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Bounds of what a server says.
const (
	maxName        = 128
	maxDescription = 8 << 10
	maxSchema      = 64 << 10
	maxContents    = 200
)

// Tool is a tool of a server.
type Tool struct {
	Name        string // as the server calls it
	Description string
	Schema      json.RawMessage // of an object
}

func newTool(tool *mcp.Tool) (Tool, error) {
	if tool.Name == "" || len(tool.Name) > maxName {
		return Tool{}, fmt.Errorf("a name of %d bytes", len(tool.Name))
	}
	schema := tool.InputSchema
	object, ok := schema.(map[string]any)
	if !ok || len(object) == 0 {
		object = map[string]any{}
	}
	if object["type"] != "object" {
		object["type"] = "object" // models' APIs insist
	}
	raw, err := json.Marshal(object)
	if err != nil || len(raw) > maxSchema {
		return Tool{}, fmt.Errorf("the schema of %s has %d bytes: %w", tool.Name, len(raw), errors.Join(err))
	}
	description := strings.ToValidUTF8(tool.Description, "")
	if len(description) > maxDescription {
		description = strings.ToValidUTF8(description[:maxDescription], "") + " […]"
	}
	return Tool{tool.Name, description, raw}, nil
}

// Result is what a call gave.
type Result struct {
	Text   string
	Images [][]byte // of whatever format
	Failed bool     // the tool says that it failed
}

// Call calls a tool. An error means that no answer came: [ErrNotConnected], ctx's, or the connection's.
func (c *Client) Call(ctx context.Context, name string, input json.RawMessage) (Result, error) {
	session, err := c.connected(ctx)
	if err != nil {
		return Result{}, err
	}
	within, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := session.CallTool(within, &mcp.CallToolParams{Name: name, Arguments: input})
	switch {
	case ctx.Err() != nil:
		return Result{}, ctx.Err()
	case within.Err() != nil:
		return Result{}, fmt.Errorf("no answer within %v", callTimeout)
	case err != nil:
		return Result{}, fmt.Errorf("call %s: %w", name, err)
	}
	return read(answer), nil
}

// read takes the text and the images out of an answer, and names what else there is.
func read(answer *mcp.CallToolResult) Result {
	r := Result{Failed: answer.IsError}
	var parts []string
	for i, content := range answer.Content {
		if i == maxContents {
			parts = append(parts, fmt.Sprintf("[%d more parts]", len(answer.Content)-i))
			break
		}
		switch content := content.(type) {
		case *mcp.TextContent:
			parts = append(parts, content.Text)
		case *mcp.ImageContent:
			r.Images = append(r.Images, content.Data)
		case *mcp.AudioContent:
			parts = append(parts, fmt.Sprintf("[sound: %s, %d bytes]", content.MIMEType, len(content.Data)))
		case *mcp.ResourceLink:
			parts = append(parts, "["+strings.Join(strings.Fields("resource "+content.URI+" "+content.Name+" "+content.Description), " ")+"]")
		case *mcp.EmbeddedResource:
			parts = append(parts, r.resource(content.Resource))
		}
	}
	if len(answer.Content) == 0 && answer.StructuredContent != nil {
		if raw, err := json.Marshal(answer.StructuredContent); err == nil {
			parts = append(parts, string(raw))
		}
	}
	r.Text = strings.Join(parts, "\n")
	return r
}

func (r *Result) resource(resource *mcp.ResourceContents) string {
	switch {
	case resource == nil:
		return "[an empty resource]"
	case resource.Text != "" || len(resource.Blob) == 0:
		return resource.URI + ":\n" + resource.Text
	case strings.HasPrefix(resource.MIMEType, "image/"):
		r.Images = append(r.Images, resource.Blob)
		return resource.URI
	}
	return fmt.Sprintf("[%s: %s, %d bytes]", resource.URI, resource.MIMEType, len(resource.Blob))
}
