package fakellm

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

type openaiRequest struct {
	Model               string          `json:"model"`
	Messages            []openaiMessage `json:"messages"`
	Tools               []openaiTool    `json:"tools"`
	Stream              bool            `json:"stream"`
	MaxTokens           int64           `json:"max_tokens"`
	MaxCompletionTokens int64           `json:"max_completion_tokens"`
	StreamOptions       *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

type openaiTool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

func (d openai) check(r *http.Request, body []byte) (asked, error) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return asked{}, errors.New("want a POST of application/json")
	}
	var q openaiRequest
	if err := json.Unmarshal(body, &q); err != nil {
		return asked{}, fmt.Errorf("we could not parse the JSON body of your request: %w", err)
	}
	switch {
	case q.Model == "" || len(q.Messages) == 0:
		return asked{}, errors.New("missing required parameter: model or messages")
	case q.MaxTokens > 0 && q.MaxCompletionTokens > 0:
		return asked{}, errors.New("setting max_tokens and max_completion_tokens at the same time is not supported")
	case q.StreamOptions != nil && !q.Stream:
		return asked{}, errors.New("stream_options can only be defined when stream is set to true")
	}
	if err := q.checkTools(); err != nil {
		return asked{}, err
	}
	last, err := q.checkMessages()
	if err != nil {
		return asked{}, err
	}
	a := asked{model: q.Model, stream: q.Stream, usage: q.StreamOptions != nil && q.StreamOptions.IncludeUsage, last: last, size: len(body)}
	for _, t := range q.Tools {
		a.tools = append(a.tools, t.Function.Name)
	}
	return a, nil
}

func (q openaiRequest) checkTools() error {
	for i, t := range q.Tools {
		if t.Type != "function" || !toolName.MatchString(t.Function.Name) || len(t.Function.Name) > 64 {
			return fmt.Errorf("tools[%d]: type must be function, and its name at most 64 of a-z, A-Z, 0-9, _ and -", i)
		}
		if len(t.Function.Parameters) > 0 {
			if err := checkSchema(t.Function.Parameters); err != nil {
				return fmt.Errorf("tools[%d].function.parameters: %w", i, err)
			}
		}
	}
	return nil
}

// checkMessages checks the conversation, and returns the texts of what came after the last answer.
func (q openaiRequest) checkMessages() (last string, err error) {
	var open []string // calls that wait for their results
	for i, m := range q.Messages {
		if m.Role != "tool" && len(open) > 0 {
			return "", fmt.Errorf("messages[%d]: an assistant message with 'tool_calls' must be followed by tool messages: no response to %v", i, open)
		}
		text, err := openaiText(m.Content)
		if err != nil {
			return "", fmt.Errorf("messages[%d]: %w", i, err)
		}
		switch m.Role {
		case "system", "developer", "user":
			if text == "" {
				err = errors.New("content must not be empty")
			}
			last += text
		case "assistant":
			last = ""
			open, err = m.calls()
			if text == "" && len(m.ToolCalls) == 0 {
				err = errors.New("content is required unless tool_calls is specified")
			}
		case "tool":
			at := slices.Index(open, m.ToolCallID)
			if at < 0 {
				return "", fmt.Errorf("messages[%d]: role 'tool' must be a response to a preceding message with 'tool_calls': %q", i, m.ToolCallID)
			}
			open = slices.Delete(open, at, at+1)
			if strings.Contains(string(m.Content), `"image_url"`) {
				err = errors.New("a message of a tool may only have text")
			}
			last += text
		default:
			err = fmt.Errorf("unknown role %q", m.Role)
		}
		if err != nil {
			return "", fmt.Errorf("messages[%d]: %w", i, err)
		}
	}
	if len(open) > 0 {
		return "", fmt.Errorf("tool_calls without a response: %v", open)
	}
	return last, nil
}

func (m openaiMessage) calls() (ids []string, err error) {
	for _, c := range m.ToolCalls {
		if c.ID == "" || c.Type != "function" || !toolName.MatchString(c.Function.Name) || c.Function.Arguments == nil {
			return nil, fmt.Errorf("tool_calls: %q needs an id, the type function, a name and arguments", c.ID)
		}
		if slices.Contains(ids, c.ID) {
			return nil, fmt.Errorf("tool_calls: duplicate id %q", c.ID)
		}
		ids = append(ids, c.ID)
	}
	return ids, nil
}

func openaiText(raw json.RawMessage) (string, error) {
	var text string
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts []struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		ImageURL *struct {
			URL string `json:"url"`
		} `json:"image_url"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", fmt.Errorf("content: %w", err)
	}
	for _, p := range parts {
		switch {
		case p.Type == "text" && p.Text != "":
			text += p.Text + "\n"
		case p.Type == "image_url" && p.ImageURL != nil:
			head, data, ok := strings.Cut(p.ImageURL.URL, ";base64,")
			if _, err := base64.StdEncoding.DecodeString(data); !ok || err != nil || !strings.HasPrefix(head, "data:image/") {
				return "", errors.New("image_url: want a data URL of an image")
			}
			text += "[image]\n"
		default:
			return "", fmt.Errorf("content: a part of type %q is not supported or is empty", p.Type)
		}
	}
	return text, nil
}
