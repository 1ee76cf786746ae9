package llm

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/param"
)

// anthropic asks by the Messages API.
func (c *Client) anthropic(ctx context.Context, req Request, w *watch, col *collector) error {
	options := []option.RequestOption{
		option.WithBaseURL(anthropicURL), option.WithHTTPClient(c.http), option.WithMaxRetries(0), option.WithoutOpenTelemetry(),
		option.WithMiddleware(w.middleware),
	}
	for name, value := range headers(req) {
		options = append(options, option.WithHeader(name, value))
	}
	messages := anthropic.NewMessageService(options...)
	stream := messages.NewStreaming(ctx, anthropicParams(req))
	defer stream.Close()
	ended := false
	for stream.Next() {
		last, err := anthropicEvent(col, stream.Current())
		if err != nil {
			return err
		}
		ended = ended || last
	}
	if err := stream.Err(); err != nil {
		if e, ok := errors.AsType[*anthropic.Error](err); ok {
			return refusal("", e.StatusCode, e.RawJSON(), err)
		}
		return err
	}
	if !ended {
		return errors.New("the stream ended without a last event")
	}
	return nil
}

// anthropicEvent takes one event of a stream, and says whether it is the last one. Events that are not known are skipped.
func anthropicEvent(col *collector, event anthropic.MessageStreamEventUnion) (last bool, err error) {
	switch event.Type {
	case "message_start":
		col.began = true
		u := event.Message.Usage
		col.usage = Usage{Input: u.InputTokens, Output: u.OutputTokens, CacheRead: u.CacheReadInputTokens, CacheWrite: u.CacheCreationInputTokens}
	case "content_block_start":
		return false, anthropicStart(col, event)
	case "content_block_delta":
		return false, anthropicDelta(col, event)
	case "content_block_stop":
		if p := col.find(event.Index); p != nil {
			p.ended = true
		}
	case "message_delta":
		col.stop = anthropicStop(event.Delta.StopReason)
		// The last event has the totals; older servers leave out all but the output.
		u := event.Usage
		col.usage.Output = u.OutputTokens
		col.usage.Input = max(col.usage.Input, u.InputTokens)
		col.usage.CacheRead = max(col.usage.CacheRead, u.CacheReadInputTokens)
		col.usage.CacheWrite = max(col.usage.CacheWrite, u.CacheCreationInputTokens)
	case "message_stop":
		return true, nil
	}
	return false, nil
}

func anthropicStart(col *collector, event anthropic.MessageStreamEventUnion) error {
	block := event.ContentBlock
	kind := otherBlock
	switch block.Type {
	case "text":
		kind = textBlock
	case "thinking", "redacted_thinking":
		kind = thinkingBlock
	case "tool_use":
		kind = callBlock
	}
	p, err := col.begin(event.Index, kind)
	if err != nil {
		return err
	}
	p.redacted, p.signature = block.Data, block.Signature
	switch kind {
	case callBlock:
		col.named(p, block.ID, block.Name)
	case thinkingBlock:
		return col.addText(p, block.Thinking)
	case textBlock:
		return col.addText(p, block.Text)
	case otherBlock:
	}
	return nil
}

func anthropicDelta(col *collector, event anthropic.MessageStreamEventUnion) error {
	p := col.find(event.Index)
	if p == nil {
		return fmt.Errorf("%w: a piece of block %d, which has not begun", errGarbled, event.Index)
	}
	switch event.Delta.Type {
	case "text_delta":
		return col.addText(p, event.Delta.Text)
	case "thinking_delta":
		return col.addText(p, event.Delta.Thinking)
	case "signature_delta":
		p.signature += event.Delta.Signature
	case "input_json_delta":
		return col.addInput(p, event.Delta.PartialJSON)
	}
	return nil
}

func anthropicStop(reason anthropic.StopReason) Stop {
	switch reason {
	case anthropic.StopReasonToolUse:
		return StopTools
	case anthropic.StopReasonMaxTokens, anthropic.StopReasonModelContextWindowExceeded:
		return StopLength
	case anthropic.StopReasonRefusal:
		return StopRefusal
	case anthropic.StopReasonPauseTurn:
		return StopPause
	default:
		return StopEnd
	}
}

// anthropicParams translates a request. Three things are marked for the provider's cache, each of which begins with the one before: the
// tools, the system prompt, and the conversation up to its last and its last but one message of the user.
func anthropicParams(req Request) anthropic.MessageNewParams {
	limit := req.Model.MaxOutput
	if limit <= 0 {
		limit = defaultMaxToken
	}
	params := anthropic.MessageNewParams{Model: req.Model.ID, MaxTokens: int64(limit)}
	if req.System != "" {
		params.System = []anthropic.TextBlockParam{{Text: req.System, CacheControl: anthropic.NewCacheControlEphemeralParam()}}
	}
	for _, tool := range req.Tools {
		params.Tools = append(params.Tools, anthropic.ToolUnionParam{OfTool: &anthropic.ToolParam{
			Name: tool.Name, Description: anthropic.String(tool.Description),
			InputSchema: param.Override[anthropic.ToolInputSchemaParam](tool.Schema),
		}})
	}
	if n := len(params.Tools); n > 0 {
		params.Tools[n-1].OfTool.CacheControl = anthropic.NewCacheControlEphemeralParam()
	}
	for _, m := range req.Messages {
		if blocks := anthropicBlocks(req.Model, m); len(blocks) > 0 {
			params.Messages = append(params.Messages, anthropic.MessageParam{Role: anthropic.MessageParamRole(m.Role), Content: blocks})
		}
	}
	cacheTurns(params.Messages)
	anthropicThink(&params, req)
	return params
}

// anthropicThink asks for thinking, unless the tool calls that are being answered were made without it, which is refused.
func anthropicThink(params *anthropic.MessageNewParams, req Request) {
	budget := int64(req.Model.ThinkingTokens)
	if !thoughtBefore(req) {
		return
	}
	switch {
	case req.Model.Effort != "":
		params.Thinking = anthropic.ThinkingConfigParamUnion{OfAdaptive: &anthropic.ThinkingConfigAdaptiveParam{Display: anthropic.ThinkingConfigAdaptiveDisplaySummarized}}
		params.OutputConfig = anthropic.OutputConfigParam{Effort: anthropic.OutputConfigEffort(req.Model.Effort)}
	case budget > 0:
		budget = max(budget, 1024)
		params.MaxTokens = max(params.MaxTokens, budget+4096)
		params.Thinking = anthropic.ThinkingConfigParamOfEnabled(budget)
	}
}

// thoughtBefore says whether each answer of the turn that is under way, as far as it called tools, has the thinking of this model.
func thoughtBefore(req Request) bool {
	for _, m := range slices.Backward(req.Messages) {
		if m.Role == User {
			if !hasResult(m) {
				return true
			}
			continue
		}
		if m.Model != req.Model.ID || len(m.Blocks) == 0 || m.Blocks[0].Thinking == nil {
			return false
		}
	}
	return true
}

func hasResult(m Message) bool { return len(m.Blocks) > 0 && m.Blocks[0].Result != nil }

// cacheTurns marks the ends of the last two messages of the user.
func cacheTurns(messages []anthropic.MessageParam) {
	marks := 2
	for i := len(messages) - 1; i >= 0 && marks > 0; i-- {
		if messages[i].Role != anthropic.MessageParamRoleUser {
			continue
		}
		content := messages[i].Content
		if control := content[len(content)-1].GetCacheControl(); control != nil {
			*control = anthropic.NewCacheControlEphemeralParam()
			marks--
		}
	}
}

func anthropicBlocks(model Model, m Message) []anthropic.ContentBlockParamUnion {
	var blocks []anthropic.ContentBlockParamUnion
	for _, b := range m.Blocks {
		switch {
		case b.Thinking != nil:
			if m.Model != model.ID {
				continue
			}
			if b.Thinking.Redacted != "" {
				blocks = append(blocks, anthropic.NewRedactedThinkingBlock(b.Thinking.Redacted))
			} else if b.Thinking.Signature != "" {
				blocks = append(blocks, anthropic.NewThinkingBlock(b.Thinking.Signature, b.Thinking.Text))
			}
		case b.Image != nil:
			blocks = append(blocks, anthropicImage(model, *b.Image))
		case b.Call != nil:
			blocks = append(blocks, anthropic.NewToolUseBlock(b.Call.ID, b.Call.Input, b.Call.Name))
		case b.Result != nil:
			blocks = append(blocks, anthropicResult(model, *b.Result))
		case strings.TrimSpace(b.Text) != "":
			blocks = append(blocks, anthropic.NewTextBlock(b.Text))
		}
	}
	return blocks
}

func anthropicResult(model Model, r Result) anthropic.ContentBlockParamUnion {
	text := r.Text
	if strings.TrimSpace(text) == "" {
		text = "(no output)"
	}
	content := []anthropic.ToolResultBlockParamContentUnion{{OfText: &anthropic.TextBlockParam{Text: text}}}
	for _, image := range r.Images {
		block := anthropicImage(model, image)
		content = append(content, anthropic.ToolResultBlockParamContentUnion{OfText: block.OfText, OfImage: block.OfImage})
	}
	result := &anthropic.ToolResultBlockParam{ToolUseID: r.ID, Content: content}
	if r.Failed {
		result.IsError = anthropic.Bool(true)
	}
	return anthropic.ContentBlockParamUnion{OfToolResult: result}
}

// blindNote stands for a picture that the model cannot see.
const blindNote = "[a picture that this model cannot see]"

func anthropicImage(model Model, image Image) anthropic.ContentBlockParamUnion {
	if model.NoImages {
		return anthropic.NewTextBlock(blindNote)
	}
	return anthropic.NewImageBlockBase64(image.MIMEType, base64.StdEncoding.EncodeToString(image.Data))
}
