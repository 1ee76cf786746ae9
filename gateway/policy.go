package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// route is what the container may ask for.
type route struct {
	provider Provider
	path     string // below the model's base address
	method   string
	free     bool // it uses no tokens
}

// routes is the whole of it.
var routes = map[string]route{ //nolint:gochecknoglobals // a table
	"/anthropic/v1/messages":              {Anthropic, "/v1/messages", http.MethodPost, false},
	"/anthropic/v1/messages/count_tokens": {Anthropic, "/v1/messages/count_tokens", http.MethodPost, true},
	"/openai/v1/chat/completions":         {OpenAI, "/chat/completions", http.MethodPost, false},
}

// request is a call that may be made.
type request struct {
	route  route
	model  Model
	turn   int
	stream bool
	body   []byte
}

// refusal is an answer of the gateway's own.
type refusal struct {
	status int
	kind   string // of X-Sketch-Error: "noModel", "budget", "model"; empty: the request was not valid
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func refuse(status int, kind string, err error) error {
	return &refusal{status: status, kind: kind, err: err}
}

func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "", fmt.Errorf(format, args...))
}

// examine reads a request's body by the rules. What is forwarded is written anew from what was understood, so that nothing can mean one thing
// here and another there: JSON lets a member occur twice.
func examine(rt route, name string, settings Settings, body []byte) (request, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return request{}, invalid("the body is not a JSON object: %w", err)
	}
	var id string
	var stream bool
	if err := errors.Join(decodeOptional(members["model"], &id), decodeOptional(members["stream"], &stream)); err != nil {
		return request{}, invalid("model or stream: %w", err)
	}
	model, err := settings.choose(rt.provider, name, id)
	if err != nil {
		return request{}, err
	}
	if err := onlyOurTools(rt.provider, members); err != nil {
		return request{}, err
	}
	for _, member := range []string{"messages", "system"} {
		if err := noAddresses(members[member]); err != nil {
			return request{}, err
		}
	}
	if rt.provider == OpenAI && stream && model.BaseURL == "" { // others may not know it
		members["stream_options"] = json.RawMessage(`{"include_usage":true}`) // nobody counts what is not told
	}
	clean, err := json.Marshal(members)
	if err != nil {
		return request{}, invalid("encode request: %w", err)
	}
	return request{route: rt, model: model, stream: stream, body: clean}, nil
}

// choose finds the model that is asked for, by its name in the settings or by the provider's.
func (s Settings) choose(p Provider, name, id string) (Model, error) {
	if len(s.Models) == 0 {
		return Model{}, refuse(http.StatusUnauthorized, "noModel", &NoModelError{})
	}
	for _, m := range s.Models {
		if m.Provider == p && m.Model == id && (name == "" || m.Name == name) {
			return m, nil
		}
	}
	return Model{}, refuse(http.StatusNotFound, "model", fmt.Errorf("the settings name no model %.80q of %s; they have %s", cmpOr(name, id), p, s.names()))
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (s Settings) names() string {
	var names []string
	for _, m := range s.Models {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// NoModelError says that no model is configured.
type NoModelError struct{}

// Error says it in a sentence.
func (*NoModelError) Error() string { return "no model is configured" }

// clientTools begin the types of Anthropic's tools that run where the loop does.
var clientTools = []string{"custom", "bash_", "text_editor_", "computer_", "memory_"} //nolint:gochecknoglobals // a table

// onlyOurTools refuses what the model's server would do by itself: search and fetch pages, run code, talk to MCP servers. That reaches the network, which
// the container may have been denied.
func onlyOurTools(p Provider, members map[string]json.RawMessage) error {
	for _, name := range []string{"mcp_servers", "container", "web_search_options"} {
		if _, ok := members[name]; ok {
			return invalid("%s is not allowed: what the model's server does by itself is outside the sandbox", name)
		}
	}
	var tools []map[string]json.RawMessage
	if err := decodeOptional(members["tools"], &tools); err != nil {
		return invalid("tools: %w", err)
	}
	for i, tool := range tools {
		var kind string
		if err := decodeOptional(tool["type"], &kind); err != nil {
			return invalid("tools[%d].type: %w", i, err)
		}
		allowed := kind == "" || kind == "custom" || kind == "function" && p == OpenAI
		if p == Anthropic {
			allowed = allowed || slices.ContainsFunc(clientTools, func(prefix string) bool { return strings.HasPrefix(kind, prefix) })
		}
		if !allowed {
			return invalid("tools[%d]: %.80q is not allowed: what the model's server does by itself is outside the sandbox", i, kind)
		}
	}
	if len(tools) == 0 {
		return nil
	}
	clean, err := json.Marshal(tools)
	if err != nil {
		return invalid("tools: %w", err)
	}
	members["tools"] = clean
	return nil
}

// noAddresses refuses pictures and documents that the model's server would fetch, for the same reason. Their addresses stand in the members url and
// image_url of content; text that has such words has them in a string, where their quotes are escaped.
func noAddresses(raw json.RawMessage) error {
	if !bytes.Contains(raw, []byte(`url"`)) {
		return nil
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return invalid("messages: %w", err)
	}
	if address := findAddress(value, 0); address != "" {
		return invalid("%.80q is not allowed: the model's server would fetch it; send the data itself", address)
	}
	return nil
}

const maxDepth = 64

// findAddress looks for an address in content. The input of a tool call is the model's own text and may have any.
func findAddress(value any, depth int) string {
	if depth > maxDepth {
		return "a message that is nested too deeply"
	}
	switch v := value.(type) {
	case []any:
		for _, inner := range v {
			if a := findAddress(inner, depth+1); a != "" {
				return a
			}
		}
	case map[string]any:
		if v["type"] == "tool_use" {
			return ""
		}
		if v["type"] == "url" || v["type"] == "file" {
			return fmt.Sprint(v["type"])
		}
		for name, inner := range v {
			if text, ok := inner.(string); ok && (name == "url" || name == "image_url") && !strings.HasPrefix(text, "data:") {
				return text
			}
			if a := findAddress(inner, depth+1); a != "" {
				return a
			}
		}
	}
	return ""
}
