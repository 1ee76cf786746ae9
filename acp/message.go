package acp

import (
	"cmp"
	"context"
	"path"
	"strings"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// tellMessage sends what of a message the editor does not have yet.
func (x *session) tellMessage(ctx context.Context, m jsonrpc.Message) {
	sent := x.remember(m.ID)
	if sent.done {
		return
	}
	switch m.Kind {
	case jsonrpc.MessageUser:
		x.mu.Lock()
		mine := x.prompting > 0
		x.mu.Unlock()
		if !mine {
			x.say(ctx, "user_message_chunk", m.ID, &sent.text, m.Text)
		}
	case jsonrpc.MessageAssistant:
		x.say(ctx, "agent_thought_chunk", m.ID, &sent.thinking, m.Thinking)
		x.say(ctx, "agent_message_chunk", m.ID, &sent.text, m.Text)
	case jsonrpc.MessageNotice:
		if m.Done {
			x.say(ctx, "agent_message_chunk", m.ID, &sent.text, notice(m))
		}
	case jsonrpc.MessageTool:
		x.tellTool(ctx, m, sent)
	case jsonrpc.MessageQuestion:
		x.tellQuestion(ctx, m, sent)
	}
	for ; m.Done && m.Kind == jsonrpc.MessageAssistant && sent.images < len(m.Images); sent.images++ {
		x.server.update(ctx, x.name, chunk{Update: "agent_message_chunk", Content: picture(m.Images[sent.images]), MessageID: m.ID})
	}
	if m.Done {
		*sent = sentMessage{done: true}
	}
}

// maxSent is how many messages are remembered, the latest. An older one that changes after all is told once more.
const maxSent = 4096

// remember returns what was sent of a message, which is nothing of one that is new.
func (x *session) remember(id string) *sentMessage {
	if sent := x.sent[id]; sent != nil {
		return sent
	}
	if len(x.order) >= maxSent {
		delete(x.sent, x.order[0])
		x.order = x.order[1:]
	}
	sent := &sentMessage{}
	x.sent[id] = sent
	x.order = append(x.order, id)
	return sent
}

// notice sets what happened apart from what the model says.
func notice(m jsonrpc.Message) string {
	text := m.Text
	if e := m.Error; e != nil && strings.Contains(text, e.Message) {
		text = strings.TrimSpace(text + "\n" + e.Hint)
	} else if e != nil {
		text = strings.TrimSpace(text + "\n" + e.Message + " " + e.Hint)
	}
	return "\n\n> " + strings.ReplaceAll(text, "\n", "\n> ") + "\n\n"
}

// say sends the new end of a text.
func (x *session) say(ctx context.Context, update, id string, sent *int, text string) {
	if len(text) <= *sent {
		return
	}
	added := text[*sent:]
	*sent = len(text)
	x.server.update(ctx, x.name, chunk{Update: update, Content: contentBlock{Type: "text", Text: added}, MessageID: id})
}

func picture(image jsonrpc.Image) contentBlock {
	return contentBlock{Type: "image", MIMEType: image.MIMEType, Data: image.Data}
}

// toolKinds are ACP's kinds of the tools that sketch-ide's agent has, by the first word of their names.
var toolKinds = map[string]string{
	"bash": "execute", "job": "execute", "patch": "edit", "write": "edit", "edit": "edit", "read": "read", "list": "search", "search": "search",
	"browser": "fetch", "think": "think", "review": "execute", "todo": "think",
}

func toolKind(name string) string {
	word, _, _ := strings.Cut(strings.ReplaceAll(name, "-", "_"), "_")
	if kind, ok := toolKinds[word]; ok {
		return kind
	}
	return "other"
}

var toolStatus = map[jsonrpc.ToolState]string{
	jsonrpc.ToolPending: "pending", jsonrpc.ToolRunning: "in_progress", jsonrpc.ToolDone: "completed", jsonrpc.ToolFailed: "failed",
	jsonrpc.ToolCancelled: "failed",
}

// tellTool sends a tool call when it is first heard of, and then what changes.
func (x *session) tellTool(ctx context.Context, m jsonrpc.Message, sent *sentMessage) {
	tool := m.Tool
	if tool == nil || tool.State == sent.tool && tool.Output == sent.output && !m.Done {
		return
	}
	call := toolCall{
		Update: "tool_call_update", ToolCallID: m.ID, Title: oneLine(tool.Title, tool.Name), Kind: toolKind(tool.Name), Status: toolStatus[tool.State],
		Content: x.toolContent(m),
	}
	for _, file := range diffFiles(tool.Diff) {
		if path, ok := x.hostPath(file.path); ok {
			call.Locations = append(call.Locations, location{Path: path})
		}
	}
	if sent.tool == "" {
		call.Update = "tool_call"
	}
	if tool.State != jsonrpc.ToolPending {
		call.RawInput = tool.Input
	}
	sent.tool, sent.output = tool.State, tool.Output
	x.server.update(ctx, x.name, call)
}

func oneLine(title, name string) string {
	title, _, _ = strings.Cut(title, "\n")
	return cmp.Or(title, name, "tool") // the protocol has no call without one
}

func (x *session) toolContent(m jsonrpc.Message) []toolContent {
	var content []toolContent
	for _, file := range diffFiles(m.Tool.Diff) {
		if path, ok := x.hostPath(file.path); ok {
			content = append(content, toolContent{Type: "diff", Path: path, OldText: file.old, NewText: &file.new})
		}
	}
	if m.Tool.Output != "" {
		content = append(content, toolContent{Type: "content", Content: &contentBlock{Type: "text", Text: fence(m.Tool.Output)}})
	}
	for _, image := range m.Images {
		block := picture(image)
		content = append(content, toolContent{Type: "content", Content: &block})
	}
	return content
}

// fence keeps output from being read as Markdown.
func fence(text string) string {
	marks := "```"
	for strings.Contains(text, marks) {
		marks += "`"
	}
	return marks + "\n" + strings.TrimSuffix(text, "\n") + "\n" + marks
}

// hostPath is where the editor has a file of the repository. A path that leads out of it is none of this machine's.
func (x *session) hostPath(name string) (file string, ok bool) {
	if relative, ok := strings.CutPrefix(name, x.workspace+"/"); ok {
		name = relative
	}
	if path.IsAbs(name) {
		return "", false
	}
	return path.Join(x.folder, path.Clean("/"+name)), true
}
