package fakellm

import (
	"encoding/json"
	"net/http"
)

// anthropic is the Messages API: https://docs.anthropic.com/en/api/messages-streaming
type anthropic struct{}

// object is a JSON object.
type object = map[string]any

func (anthropic) keyHeader() string { return "X-Api-Key" }

func (anthropic) failure(status int, message string) []byte {
	kinds := map[int]string{
		http.StatusBadRequest: "invalid_request_error", http.StatusUnauthorized: "authentication_error", http.StatusForbidden: "permission_error",
		http.StatusNotFound: "not_found_error", http.StatusRequestEntityTooLarge: "request_too_large", http.StatusTooManyRequests: "rate_limit_error",
		http.StatusServiceUnavailable: "overloaded_error", 529: "overloaded_error",
	}
	kind := kinds[status]
	if kind == "" {
		kind = "api_error"
	}
	return encode(object{"type": "error", "error": object{"type": kind, "message": message}})
}

func (d anthropic) frames(a asked, step Step, index int) []frame {
	usage := step.usage(a.size)
	var out []frame
	add := func(kind string, fields object) {
		fields["type"] = kind
		out = append(out, frame{event: kind, data: string(encode(fields))})
	}
	message := d.message(a, index)
	message["content"], message["stop_reason"] = []any{}, nil
	message["usage"] = d.usage(usage, 1)
	add("message_start", object{"message": message})
	add("ping", object{})
	block := 0
	for i, part := range step.Reply {
		switch {
		case part.Hold != "":
			out = append(out, frame{hold: part.Hold})
			continue
		case part.Unknown:
			add("content_block_hologram", object{"index": block, "hologram": object{"depth": 3}})
			continue
		}
		start, deltas := d.block(part, step, index, i)
		add("content_block_start", object{"index": block, "content_block": start})
		for _, delta := range deltas {
			add("content_block_delta", object{"index": block, "delta": delta})
		}
		add("content_block_stop", object{"index": block})
		block++
	}
	add("message_delta", object{"delta": object{"stop_reason": d.stop(step), "stop_sequence": nil}, "usage": object{"output_tokens": usage.Output}})
	add("message_stop", object{})
	return out
}

// block is the start of a content block, and its deltas.
func (anthropic) block(part Part, _ Step, index, place int) (start object, deltas []object) {
	switch {
	case part.Thinking != "":
		for _, p := range pieces(part.repeat(part.Thinking)) {
			deltas = append(deltas, object{"type": "thinking_delta", "thinking": p})
		}
		deltas = append(deltas, object{"type": "signature_delta", "signature": signature})
		return object{"type": "thinking", "thinking": "", "signature": ""}, deltas
	case part.Tool != "":
		deltas = append(deltas, object{"type": "input_json_delta", "partial_json": ""})
		for _, p := range pieces(part.input()) {
			deltas = append(deltas, object{"type": "input_json_delta", "partial_json": p})
		}
		return object{"type": "tool_use", "id": part.id("toolu", index, place), "name": part.Tool, "input": object{}}, deltas
	}
	for _, p := range pieces(part.repeat(part.Text)) {
		deltas = append(deltas, object{"type": "text_delta", "text": p})
	}
	return object{"type": "text", "text": ""}, deltas
}

// signature stands for what the API signs thinking with; it must come back unchanged.
const signature = "c2lnbmVkIGJ5IHRoZSBzY3JpcHQ="

func (d anthropic) whole(a asked, step Step, index int) []byte {
	content := []any{}
	for i, part := range step.Reply {
		switch {
		case part.Thinking != "":
			content = append(content, object{"type": "thinking", "thinking": part.repeat(part.Thinking), "signature": signature})
		case part.Tool != "":
			content = append(content, object{"type": "tool_use", "id": part.id("toolu", index, i), "name": part.Tool, "input": json.RawMessage(part.input())})
		case part.Text != "":
			content = append(content, object{"type": "text", "text": part.repeat(part.Text)})
		}
	}
	usage := step.usage(a.size)
	message := d.message(a, index)
	message["content"], message["stop_reason"], message["usage"] = content, d.stop(step), d.usage(usage, usage.Output)
	return encode(message)
}

func (anthropic) message(a asked, index int) object {
	return object{"id": messageID("msg", index), "type": "message", "role": "assistant", "model": a.model, "stop_sequence": nil}
}

func (anthropic) usage(u Usage, output int64) object {
	return object{
		"input_tokens": u.Input, "output_tokens": output,
		"cache_creation_input_tokens": u.CacheWrite, "cache_read_input_tokens": u.CacheRead,
	}
}

func (anthropic) stop(step Step) string {
	switch s := step.stop(); s {
	case "end":
		return "end_turn"
	case "tools":
		return "tool_use"
	case "length":
		return "max_tokens"
	default:
		return s
	}
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil { // a raw input that is not JSON, in an answer that is not streamed
		return []byte(`{"type":"error","error":{"type":"api_error","message":"the scenario cannot be told without streaming"}}`)
	}
	return data
}
