package fakellm

import (
	"encoding/json"
	"net/http"
	"time"
)

// openai is the chat completions API: https://platform.openai.com/docs/api-reference/chat-streaming
type openai struct{}

func (openai) keyHeader() string { return "Authorization" }

func (openai) failure(status int, message string) []byte {
	kind := "server_error"
	switch {
	case status == http.StatusTooManyRequests:
		kind = "rate_limit_exceeded"
	case status < http.StatusInternalServerError:
		kind = "invalid_request_error"
	}
	return encode(object{"error": object{"message": message, "type": kind, "param": nil, "code": nil}})
}

func (d openai) frames(a asked, step Step, index int) []frame {
	id, created := messageID("chatcmpl", index), time.Now().Unix()
	var out []frame
	chunk := func(choices []any, usage any) {
		fields := object{"id": id, "object": "chat.completion.chunk", "created": created, "model": a.model, "choices": choices}
		if a.usage {
			fields["usage"] = usage
		}
		out = append(out, frame{data: string(encode(fields))})
	}
	delta := func(fields object, finish any) {
		chunk([]any{object{"index": 0, "delta": fields, "logprobs": nil, "finish_reason": finish}}, nil)
	}
	delta(object{"role": "assistant", "content": "", "refusal": nil}, nil)
	calls := 0
	for i, part := range step.Reply {
		switch {
		case part.Hold != "":
			out = append(out, frame{hold: part.Hold})
		case part.Unknown:
			out = append(out, frame{data: `{"id":"` + id + `","object":"chat.completion.hologram","choices":[],"depth":3}`})
		case part.Thinking != "":
			for _, p := range pieces(part.repeat(part.Thinking)) {
				delta(object{"reasoning_content": p}, nil)
			}
		case part.Tool != "":
			delta(object{"tool_calls": []any{object{
				"index": calls, "id": part.id("call", index, i), "type": "function", "function": object{"name": part.Tool, "arguments": ""},
			}}}, nil)
			for _, p := range pieces(part.input()) {
				delta(object{"tool_calls": []any{object{"index": calls, "function": object{"arguments": p}}}}, nil)
			}
			calls++
		default:
			for _, p := range pieces(part.repeat(part.Text)) {
				delta(object{"content": p}, nil)
			}
		}
	}
	delta(object{}, d.stop(step))
	if a.usage {
		chunk([]any{}, d.usage(step.usage(a.size)))
	}
	return append(out, frame{data: "[DONE]"})
}

func (d openai) whole(a asked, step Step, index int) []byte {
	message := object{"role": "assistant", "content": nil, "refusal": nil}
	text, calls := "", []any{}
	for i, part := range step.Reply {
		switch {
		case part.Text != "":
			text += part.repeat(part.Text)
		case part.Tool != "":
			calls = append(calls, object{"id": part.id("call", index, i), "type": "function", "function": object{"name": part.Tool, "arguments": part.input()}})
		}
	}
	if text != "" {
		message["content"] = text
	}
	if len(calls) > 0 {
		message["tool_calls"] = calls
	}
	return encode(object{
		"id": messageID("chatcmpl", index), "object": "chat.completion", "created": time.Now().Unix(), "model": a.model,
		"choices": []any{object{"index": 0, "message": message, "logprobs": nil, "finish_reason": d.stop(step)}},
		"usage":   d.usage(step.usage(a.size)),
	})
}

// usage counts, as this API does, what was cached as part of the prompt.
func (openai) usage(u Usage) object {
	prompt := u.Input + u.CacheRead + u.CacheWrite
	return object{
		"prompt_tokens": prompt, "completion_tokens": u.Output, "total_tokens": prompt + u.Output,
		"prompt_tokens_details": object{"cached_tokens": u.CacheRead},
	}
}

func (openai) stop(step Step) string {
	switch s := step.stop(); s {
	case "end":
		return "stop"
	case "tools":
		return "tool_calls"
	case "refusal":
		return "content_filter"
	default:
		return s
	}
}

// openaiMessage is one message of a request.
type openaiMessage struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"`
	Name       string          `json:"name"`
	ToolCallID string          `json:"tool_call_id"`
	ToolCalls  []struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Function struct {
			Name      string  `json:"name"`
			Arguments *string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}
