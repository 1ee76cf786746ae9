package fakellm

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// anthropicRequest is a request to the Messages API. Fields that are not listed are refused, as they are there.
type anthropicRequest struct {
	Model         string             `json:"model"`
	MaxTokens     int64              `json:"max_tokens"`
	Messages      []anthropicMessage `json:"messages"`
	System        json.RawMessage    `json:"system"`
	Tools         []anthropicTool    `json:"tools"`
	ToolChoice    json.RawMessage    `json:"tool_choice"`
	Thinking      *anthropicThinking `json:"thinking"`
	OutputConfig  json.RawMessage    `json:"output_config"`
	CacheControl  json.RawMessage    `json:"cache_control"`
	Metadata      json.RawMessage    `json:"metadata"`
	StopSequences []string           `json:"stop_sequences"`
	Temperature   *float64           `json:"temperature"`
	TopP          *float64           `json:"top_p"`
	TopK          *int64             `json:"top_k"`
	ServiceTier   string             `json:"service_tier"`
	Stream        bool               `json:"stream"`
}

type anthropicMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

type anthropicTool struct {
	Type         string          `json:"type"`
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	InputSchema  json.RawMessage `json:"input_schema"`
	CacheControl json.RawMessage `json:"cache_control"`
	Strict       bool            `json:"strict"`
}

type anthropicThinking struct {
	Type         string `json:"type"`
	BudgetTokens int64  `json:"budget_tokens"`
	Display      string `json:"display"`
}

type anthropicBlock struct {
	Type         string          `json:"type"`
	Text         string          `json:"text"`
	Source       *imageSource    `json:"source"`
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Input        json.RawMessage `json:"input"`
	ToolUseID    string          `json:"tool_use_id"`
	IsError      bool            `json:"is_error"`
	Content      json.RawMessage `json:"content"`
	Thinking     string          `json:"thinking"`
	Signature    string          `json:"signature"`
	Data         string          `json:"data"`
	CacheControl json.RawMessage `json:"cache_control"`
}

type imageSource struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type"`
	Data      string `json:"data"`
	URL       string `json:"url"`
}

var (
	toolName   = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	toolUseID  = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	imageTypes = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}
)

func (d anthropic) check(r *http.Request, body []byte) (asked, error) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return asked{}, errors.New("want a POST of application/json")
	}
	if r.Header.Get("Anthropic-Version") != "2023-06-01" {
		return asked{}, errors.New("anthropic-version: header is required")
	}
	var q anthropicRequest
	if err := decodeStrict(body, &q); err != nil {
		return asked{}, err
	}
	if q.Model == "" || q.MaxTokens < 1 || len(q.Messages) == 0 {
		return asked{}, errors.New("model, max_tokens and messages are required")
	}
	if err := errors.Join(q.checkThinking(), q.checkTools()); err != nil {
		return asked{}, err
	}
	last, err := q.checkMessages()
	if err != nil {
		return asked{}, err
	}
	if n := bytes.Count(body, []byte(`"cache_control":{`)); n > 4 {
		return asked{}, fmt.Errorf("a maximum of 4 blocks with cache_control may be provided, found %d", n)
	}
	a := asked{model: q.Model, stream: q.Stream, last: last, size: len(body)}
	for _, t := range q.Tools {
		a.tools = append(a.tools, t.Name)
	}
	return a, nil
}

func decodeStrict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func (q anthropicRequest) checkThinking() error {
	if q.Thinking == nil || q.Thinking.Type != "enabled" {
		return nil
	}
	if b := q.Thinking.BudgetTokens; b < 1024 || b >= q.MaxTokens {
		return fmt.Errorf("thinking.budget_tokens: %d must be at least 1024 and less than max_tokens", b)
	}
	if q.Temperature != nil && *q.Temperature != 1 {
		return errors.New("temperature may only be set to 1 when thinking is enabled")
	}
	return nil
}

func (q anthropicRequest) checkTools() error {
	seen := map[string]bool{}
	for i, t := range q.Tools {
		switch {
		case !toolName.MatchString(t.Name):
			return fmt.Errorf("tools.%d.name: %q is not a name", i, t.Name)
		case seen[t.Name]:
			return fmt.Errorf("tools: Tool names must be unique: %q", t.Name)
		}
		if err := checkSchema(t.InputSchema); err != nil {
			return fmt.Errorf("tools.%d.input_schema: %w", i, err)
		}
		seen[t.Name] = true
	}
	return nil
}

func checkSchema(raw json.RawMessage) error {
	var schema struct {
		Type       string         `json:"type"`
		Properties map[string]any `json:"properties"`
		Required   []string       `json:"required"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		return fmt.Errorf("not a JSON Schema: %w", err)
	}
	if schema.Type != "object" {
		return fmt.Errorf("type must be object, got %q", schema.Type)
	}
	for _, name := range schema.Required {
		if _, ok := schema.Properties[name]; !ok {
			return fmt.Errorf("required property %q does not exist", name)
		}
	}
	return nil
}

// checkMessages checks the conversation, and returns the texts of its last message.
func (q anthropicRequest) checkMessages() (last string, err error) {
	var open []string // calls of the previous message that are to be answered in this one
	for i, m := range q.Messages {
		if want := []string{"user", "assistant"}[i%2]; m.Role != want {
			return "", fmt.Errorf("messages.%d: role must be %q, got %q: roles must alternate", i, want, m.Role)
		}
		blocks, err := contentBlocks(m.Content)
		if err != nil {
			return "", fmt.Errorf("messages.%d: %w", i, err)
		}
		answered, called, text, err := checkBlocks(m.Role, blocks, open)
		if err != nil {
			return "", fmt.Errorf("messages.%d: %w", i, err)
		}
		for _, id := range open {
			if !slices.Contains(answered, id) {
				return "", fmt.Errorf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s", i, id)
			}
		}
		if err := q.checkThinkingFirst(m.Role, blocks, called); err != nil {
			return "", fmt.Errorf("messages.%d: %w", i, err)
		}
		open, last = called, text
	}
	if q.Messages[len(q.Messages)-1].Role == "assistant" {
		return "", errors.New("this model does not support assistant message prefill: the conversation must end with a user message")
	}
	return last, nil
}

// checkThinkingFirst: with thinking, an answer that calls tools comes back with its thinking before them.
func (q anthropicRequest) checkThinkingFirst(role string, blocks []anthropicBlock, called []string) error {
	if q.Thinking == nil || q.Thinking.Type != "enabled" || role != "assistant" || len(called) == 0 {
		return nil
	}
	if kind := blocks[0].Type; kind != "thinking" && kind != "redacted_thinking" {
		return fmt.Errorf("expected `thinking` or `redacted_thinking`, but found `%s`: a final assistant message must start with a thinking block", kind)
	}
	return nil
}

func contentBlocks(raw json.RawMessage) ([]anthropicBlock, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []anthropicBlock{{Type: "text", Text: text}}, nil
	}
	var blocks []anthropicBlock
	if err := decodeStrict(raw, &blocks); err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	if len(blocks) == 0 {
		return nil, errors.New("content: all messages must have non-empty content")
	}
	return blocks, nil
}

func checkBlocks(role string, blocks []anthropicBlock, open []string) (answered, called []string, text string, err error) {
	for j, b := range blocks {
		switch {
		case b.Type == "text":
			if strings.TrimSpace(b.Text) == "" {
				err = errors.New("text content blocks must contain non-whitespace text")
			}
			text += b.Text + "\n"
		case b.Type == "image" && role == "user":
			err = b.Source.check()
			text += "[image]\n"
		case b.Type == "tool_result" && role == "user":
			switch {
			case !slices.Contains(open, b.ToolUseID):
				err = fmt.Errorf("unexpected `tool_use_id` found in `tool_result` blocks: %s", b.ToolUseID)
			case slices.Contains(answered, b.ToolUseID):
				err = fmt.Errorf("each tool_use must have a single result: %s", b.ToolUseID)
			case j > 0 && blocks[j-1].Type != "tool_result":
				err = errors.New("`tool_result` blocks must come first")
			}
			answered = append(answered, b.ToolUseID)
			inner, innerErr := resultText(b)
			err = errors.Join(err, innerErr)
			text += inner
		case b.Type == "tool_use" && role == "assistant":
			var input map[string]any
			if json.Unmarshal(b.Input, &input) != nil || input == nil || !toolUseID.MatchString(b.ID) || !toolName.MatchString(b.Name) {
				err = fmt.Errorf("tool_use %q: input must be an object, id and name must be set", b.ID)
			}
			if slices.Contains(called, b.ID) {
				err = fmt.Errorf("`tool_use` ids must be unique: %s", b.ID)
			}
			called = append(called, b.ID)
		case b.Type == "thinking" && role == "assistant":
			if b.Signature == "" {
				err = errors.New("thinking: signature is required")
			}
		case b.Type == "redacted_thinking" && role == "assistant":
		default:
			err = fmt.Errorf("a block %q may not be in a message of %s", b.Type, role)
		}
		if err != nil {
			return nil, nil, "", fmt.Errorf("content.%d: %w", j, err)
		}
	}
	return answered, called, text, nil
}

// resultText is the text of a tool's result, which may have none.
func resultText(b anthropicBlock) (string, error) {
	if len(b.Content) == 0 {
		return "", nil
	}
	blocks, err := contentBlocks(b.Content)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, inner := range blocks {
		switch inner.Type {
		case "text":
			text.WriteString(inner.Text + "\n")
		case "image":
			if err := inner.Source.check(); err != nil {
				return "", err
			}
			text.WriteString("[image]\n")
		default:
			return "", fmt.Errorf("tool_result: content %q is not supported", inner.Type)
		}
	}
	return text.String(), nil
}

func (s *imageSource) check() error {
	if s == nil || s.Type != "base64" || !slices.Contains(imageTypes, s.MediaType) {
		return errors.New("image: source must be base64 with a supported media_type")
	}
	data, err := base64.StdEncoding.DecodeString(s.Data)
	if err != nil || len(data) == 0 || len(data) > 5<<20 {
		return fmt.Errorf("image: %d bytes: want base64 of at most 5 MB", len(data))
	}
	return nil
}
