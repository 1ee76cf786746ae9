package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/internal/jsonbound"
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
	size   int // of body, which is dropped before its answer ends

	mayGenerate int64 // tokens, by the limit that the request names
}

// maxValues bounds what decoding a body takes: a value of two bytes can take hundreds.
const maxValues = 300_000

// examine reads a request's body by the rules. What is forwarded is written anew from what was understood, so that nothing can mean one thing
// here and another there: JSON lets a member occur twice.
func examine(rt route, name string, settings Settings, body []byte) (request, error) {
	if n := jsonbound.Values(body); n > maxValues {
		return request{}, invalid("the body has %d values, the limit is %d", n, maxValues)
	}
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
	if err := knownMembers(rt.provider, members); err != nil {
		return request{}, err
	}
	if err := onlyOurTools(rt.provider, members); err != nil {
		return request{}, err
	}
	limit, err := mayGenerate(model, members)
	if err != nil {
		return request{}, invalid("%w", err)
	}
	for _, member := range []string{"messages", "system"} {
		if err := noAddresses(rt.provider, members[member]); err != nil {
			return request{}, err
		}
	}
	if rt.provider == OpenAI && stream {
		members["stream_options"] = json.RawMessage(`{"include_usage":true}`) // nobody counts what is not told
	}
	clean, err := json.Marshal(members)
	if err != nil {
		return request{}, invalid("encode request: %w", err)
	}
	return request{route: rt, model: model, stream: stream, body: clean, size: len(clean), mayGenerate: limit}, nil
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
	var tools, functions []map[string]json.RawMessage
	if err := errors.Join(decodeOptional(members["tools"], &tools), decodeOptional(members["functions"], &functions)); err != nil {
		return invalid("tools: %w", err)
	}
	if err := boundedTools(functions); err != nil {
		return err
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
	if err := boundedTools(tools); err != nil || len(tools) == 0 {
		return err
	}
	clean, err := json.Marshal(tools)
	if err != nil {
		return invalid("tools: %w", err)
	}
	members["tools"] = clean
	return nil
}

// noAddresses refuses pictures and documents that the model's server would fetch, for the same reason. Their addresses stand in the members url and
// image_url of content.
func noAddresses(p Provider, raw json.RawMessage) error {
	if len(raw) == 0 {
		return nil
	}
	w := contentWalk{decoder: json.NewDecoder(bytes.NewReader(raw)), provider: p}
	w.decoder.UseNumber()
	if _, err := w.value("", 0); err != nil {
		return invalid("messages: %w", err)
	}
	return nil
}

const maxDepth = 64

// contentWalk reads content as the decoder understands it, escapes and all, and refuses what two readers could understand differently.
type contentWalk struct {
	decoder  *json.Decoder
	provider Provider
}

// value reads one value, which is the member of that name of an object, or an element. It returns the text where it is one.
func (w *contentWalk) value(name string, depth int) (text string, err error) {
	if depth > maxDepth {
		return "", errors.New("nested too deeply")
	}
	token, err := w.decoder.Token()
	if err != nil {
		return "", err
	}
	switch token := token.(type) {
	case string:
		if (strings.EqualFold(name, "url") || strings.EqualFold(name, "image_url")) && !strings.HasPrefix(token, "data:") {
			err = &addressError{token}
		}
		return token, err
	case json.Delim:
		if token == '{' {
			return "", w.object(depth)
		}
		for w.decoder.More() {
			if _, err := w.value("", depth+1); err != nil {
				return "", err
			}
		}
		_, err = w.decoder.Token() // the end
	}
	return "", err
}

// addressError says what the model's server would fetch.
type addressError struct{ address string }

// Error says it in a sentence.
func (e *addressError) Error() string {
	return fmt.Sprintf("%.80q is not allowed: the model's server would fetch it; send the data itself", e.address)
}

// object reads an object's members. The input of a tool call is the model's own text, which its server hands back to it: it may have any address, and a
// member twice, as it was generated.
func (w *contentWalk) object(depth int) error {
	seen := map[string]bool{}
	kind, input := "", json.RawMessage(nil)
	for w.decoder.More() {
		token, err := w.decoder.Token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok || seen[name] {
			return fmt.Errorf("the member %.80q occurs twice", name)
		}
		seen[name] = true
		if name == "input" {
			if err := w.decoder.Decode(&input); err != nil {
				return err
			}
			continue
		}
		text, err := w.value(name, depth+1)
		if err != nil {
			return err
		}
		if name == "type" {
			kind = text
		}
	}
	if _, err := w.decoder.Token(); err != nil { // the end
		return err
	}
	switch {
	case kind == "url" || kind == "file":
		return &addressError{kind}
	case input == nil, kind == "tool_use" && w.provider == Anthropic:
		return nil
	}
	if text := bytes.TrimSpace(input); text[0] == '{' || text[0] == '[' {
		return errors.New("an input outside of a tool call")
	}
	return nil
}
