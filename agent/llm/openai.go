package llm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/respjson"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/shared"
)

// openai asks by the chat completions API.
func (c *Client) openai(ctx context.Context, req Request, w *watch, col *collector) error {
	options := []option.RequestOption{
		option.WithBaseURL(openaiURL), option.WithHTTPClient(c.http), option.WithMaxRetries(0), option.WithMiddleware(w.middleware),
	}
	for name, value := range headers(req) {
		options = append(options, option.WithHeader(name, value))
	}
	completions := openai.NewChatCompletionService(options...)
	stream := completions.NewStreaming(ctx, openaiParams(req))
	defer stream.Close()
	chunks := openaiChunks{col: col}
	for stream.Next() {
		if err := chunks.take(stream.Current()); err != nil {
			return err
		}
	}
	if err := stream.Err(); err != nil {
		if e, ok := errors.AsType[*ssestream.StreamError](err); ok {
			return refusal("", http.StatusOK, string(e.Event.Data), err)
		}
		return err
	}
	if col.stop == "" {
		return errors.New("the stream ended without a reason")
	}
	chunks.end()
	return nil
}

// openaiChunks puts an answer together. Its text is one block, its thinking another, and each tool call one more.
type openaiChunks struct {
	col            *collector
	text, thinking *pending
	calls          map[int64]*pending
}

func (o *openaiChunks) take(chunk openai.ChatCompletionChunk) error {
	o.col.began = true
	if u := chunk.Usage; u.PromptTokens > 0 || u.CompletionTokens > 0 {
		cached := u.PromptTokensDetails.CachedTokens
		o.col.usage = Usage{Input: u.PromptTokens - cached, Output: u.CompletionTokens, CacheRead: cached}
	}
	if len(chunk.Choices) == 0 {
		return nil
	}
	choice := chunk.Choices[0]
	if choice.FinishReason != "" {
		o.col.stop = openaiStop(choice.FinishReason)
	}
	if err := o.think(choice.Delta.JSON.ExtraFields); err != nil {
		return err
	}
	if err := o.say(choice.Delta.Content + choice.Delta.Refusal); err != nil {
		return err
	}
	if choice.Delta.Refusal != "" {
		o.col.stop = StopRefusal
	}
	for _, call := range choice.Delta.ToolCalls {
		if err := o.call(call); err != nil {
			return err
		}
	}
	return nil
}

// thinkingFields are the names under which servers stream what a model thinks; OpenAI's own does not.
var thinkingFields = []string{"reasoning_content", "reasoning"}

func (o *openaiChunks) think(extra map[string]respjson.Field) error {
	for _, name := range thinkingFields {
		var text string
		if json.Unmarshal([]byte(extra[name].Raw()), &text) != nil || text == "" {
			continue
		}
		if o.thinking == nil {
			p, err := o.col.begin(-1, thinkingBlock)
			if err != nil {
				return err
			}
			p.signature, o.thinking = name, p
		}
		return o.col.addText(o.thinking, text)
	}
	return nil
}

func (o *openaiChunks) say(text string) error {
	if text == "" {
		return nil
	}
	if o.text == nil {
		p, err := o.col.begin(-2, textBlock)
		if err != nil {
			return err
		}
		o.text = p
	}
	return o.col.addText(o.text, text)
}

func (o *openaiChunks) call(delta openai.ChatCompletionChunkChoiceDeltaToolCall) error {
	p := o.calls[delta.Index]
	// Some servers number every call 0: another id with a name begins another one.
	if p == nil || delta.Function.Name != "" && delta.ID != "" && delta.ID != p.given {
		var err error
		if p, err = o.col.begin(delta.Index, callBlock); err != nil {
			return err
		}
		if o.calls == nil {
			o.calls = make(map[int64]*pending)
		}
		o.calls[delta.Index], p.given = p, delta.ID
		o.col.named(p, delta.ID, delta.Function.Name)
	}
	return o.col.addInput(p, delta.Function.Arguments)
}

// end marks the calls as whole, which this API does not tell: the last one may not be, where the answer had no more room.
func (o *openaiChunks) end() {
	for _, p := range o.col.blocks {
		p.ended = o.col.stop != StopLength || json.Valid(p.input.Bytes())
	}
}

func openaiStop(reason string) Stop {
	switch reason {
	case "tool_calls", "function_call":
		return StopTools
	case "length":
		return StopLength
	case "content_filter":
		return StopRefusal
	}
	return StopEnd
}

// openaiParams translates a request. The provider finds what it has cached by itself, since each request begins as the one before.
func openaiParams(req Request) openai.ChatCompletionNewParams {
	params := openai.ChatCompletionNewParams{
		Model:         req.Model.ID,
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	}
	if req.Model.MaxOutput > 0 {
		params.MaxCompletionTokens = openai.Int(int64(req.Model.MaxOutput))
	}
	if req.Model.Effort != "" {
		params.ReasoningEffort = shared.ReasoningEffort(req.Model.Effort)
	}
	for _, tool := range req.Tools {
		var schema map[string]any
		_ = json.Unmarshal(tool.Schema, &schema) // a tool's schema is an object, or it takes nothing
		params.Tools = append(params.Tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name: tool.Name, Description: openai.String(tool.Description), Parameters: schema,
		}))
	}
	if req.System != "" {
		params.Messages = append(params.Messages, openai.SystemMessage(req.System))
	}
	begin := turnBegin(req.Messages)
	for i, m := range req.Messages {
		if m.Role == User {
			params.Messages = append(params.Messages, openaiUser(req.Model, m)...)
		} else if said, ok := openaiAssistant(m, i > begin && m.Model == req.Model.ID); ok {
			params.Messages = append(params.Messages, said)
		}
	}
	return params
}

// turnBegin is the index of the message that began the turn that is under way.
func turnBegin(messages []Message) int {
	for i, m := range slices.Backward(messages) {
		if m.Role == User && !hasResult(m) {
			return i
		}
	}
	return 0
}

// openaiUser makes a message of each tool's result, and one of the rest: results have no pictures there.
func openaiUser(model Model, m Message) []openai.ChatCompletionMessageParamUnion {
	var messages []openai.ChatCompletionMessageParamUnion
	var parts []openai.ChatCompletionContentPartUnionParam
	add := func(image Image) {
		if model.NoImages {
			parts = append(parts, openai.TextContentPart(blindNote))
			return
		}
		url := "data:" + image.MIMEType + ";base64," + base64.StdEncoding.EncodeToString(image.Data)
		parts = append(parts, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: url}))
	}
	for _, b := range m.Blocks {
		switch {
		case b.Result != nil:
			messages = append(messages, openai.ToolMessage(resultText(*b.Result), b.Result.ID))
			for _, image := range b.Result.Images {
				parts = append(parts, openai.TextContentPart("The picture of tool call "+b.Result.ID+":"))
				add(image)
			}
		case b.Image != nil:
			add(*b.Image)
		case strings.TrimSpace(b.Text) != "":
			parts = append(parts, openai.TextContentPart(b.Text))
		}
	}
	if len(parts) == 1 && parts[0].OfText != nil {
		return append(messages, openai.UserMessage(parts[0].OfText.Text)) // which servers that know no parts take too
	}
	if len(parts) > 0 {
		messages = append(messages, openai.UserMessage(parts))
	}
	return messages
}

// resultText says in words that a tool failed, for which this API has no field.
func resultText(r Result) string {
	switch {
	case r.Failed:
		return "[failed] " + r.Text
	case strings.TrimSpace(r.Text) == "":
		return "(no output)"
	}
	return r.Text
}

// openaiAssistant gives back what was said, and, within the turn, what was thought: servers that stream that want it with tool calls.
func openaiAssistant(m Message, thoughts bool) (openai.ChatCompletionMessageParamUnion, bool) {
	said := openai.ChatCompletionAssistantMessageParam{}
	var texts []string
	for _, b := range m.Blocks {
		switch {
		case b.Call != nil:
			said.ToolCalls = append(said.ToolCalls, openai.ChatCompletionMessageToolCallUnionParam{OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{
				ID: b.Call.ID, Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{Name: b.Call.Name, Arguments: string(b.Call.Input)},
			}})
		case b.Thinking != nil:
			if name := b.Thinking.Signature; thoughts && slices.Contains(thinkingFields, name) {
				said.SetExtraFields(map[string]any{name: b.Thinking.Text})
			}
		case strings.TrimSpace(b.Text) != "":
			texts = append(texts, b.Text)
		}
	}
	if len(texts) > 0 {
		said.Content.OfString = openai.String(strings.Join(texts, "\n\n"))
	}
	return openai.ChatCompletionMessageParamUnion{OfAssistant: &said}, len(texts) > 0 || len(said.ToolCalls) > 0
}
