package acp

import (
	"context"
	"strconv"
	"strings"

	"go.lsp.dev/jsonrpc2"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// tellQuestion asks the user: by a request for permission where there are answers to choose from, else as text, to which the next prompt is the answer.
func (x *session) tellQuestion(ctx context.Context, m jsonrpc.Message, sent *sentMessage) {
	if m.Question == nil {
		return
	}
	if m.Question.Answered || m.Done {
		x.tellSettled(ctx, m, sent)
		return
	}
	if sent.tool != "" || sent.text > 0 {
		return // asked already
	}
	asking, withdraw := context.WithCancel(ctx)
	if len(m.Question.Options) == 0 || !x.mayAsk(m.ID, withdraw) {
		withdraw()
		x.say(ctx, "agent_message_chunk", m.ID, &sent.text, "\n\n"+m.Question.Text+"\n\n")
		x.update(func() { x.open = m.ID })
		return
	}
	x.tellQuestionCall(ctx, m, sent, jsonrpc.ToolPending)
	// Ends with the editor's answer, when somebody else has answered, or with ctx; Serve waits.
	x.server.tasks.Go(func() {
		defer withdraw()
		x.ask(ctx, asking, m)
	})
}

// tellSettled says how a question ended that needs no answer any more, and takes it back where the editor still has it: it was answered in another window, or its turn
// is over.
func (x *session) tellSettled(ctx context.Context, m jsonrpc.Message, sent *sentMessage) {
	x.update(func() {
		if x.open == m.ID {
			x.open = ""
		}
	})
	x.takeBack(m.ID)
	if sent.text > 0 || sent.tool == jsonrpc.ToolDone {
		return
	}
	x.tellQuestionCall(ctx, m, sent, jsonrpc.ToolDone)
}

// tellQuestionCall sends a question as the call of a tool, which is what requests for permission refer to.
func (x *session) tellQuestionCall(ctx context.Context, m jsonrpc.Message, sent *sentMessage, state jsonrpc.ToolState) {
	call := questionCall(m)
	call.Update, call.Status = "tool_call_update", toolStatus[state]
	if sent.tool == "" {
		call.Update = "tool_call"
	}
	if state == jsonrpc.ToolDone && m.Question.Answer == "" {
		call.Status = toolStatus[jsonrpc.ToolCancelled]
	}
	sent.tool = state
	x.server.update(ctx, x.name, call)
}

func questionCall(m jsonrpc.Message) toolCall {
	text := m.Question.Text
	if answer := m.Question.Answer; answer != "" {
		text += "\n\n> " + strings.ReplaceAll(answer, "\n", "\n> ")
	}
	return toolCall{
		ToolCallID: m.ID, Title: oneLine(m.Question.Text, "question"), Kind: "other", Status: toolStatus[jsonrpc.ToolPending],
		Content: []toolContent{{Type: "content", Content: &contentBlock{Type: "text", Text: text}}},
	}
}

// maxWithdrawn is how many questions are taken back between two prompts. An editor that does not know of that goes on showing them, and how many there are is the
// container's doing; those after them come as text.
const maxWithdrawn = 8

// mayAsk takes the one place for a question that waits for a choice, for the same reason.
func (x *session) mayAsk(id string, withdraw context.CancelFunc) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.asked != "" || x.withdrawn >= maxWithdrawn {
		return false
	}
	x.asked, x.withdraw = id, withdraw
	return true
}

// takeBack withdraws this question, or with an empty id any, if the editor has it before its user.
func (x *session) takeBack(id string) {
	x.mu.Lock()
	asked, withdraw := x.asked, x.withdraw
	x.mu.Unlock()
	if asked != "" && (id == "" || id == asked) {
		withdraw()
	}
}

// ask asks and hands on the answer, which is not wanted any more once asking ends.
func (x *session) ask(ctx, asking context.Context, m jsonrpc.Message) {
	answer, ok := x.choose(ctx, asking, m)
	if !ok {
		return
	}
	if err := x.server.cfg.Backend.Answer(ctx, jsonrpc.AnswerParams{Session: x.name, ID: m.ID, Answer: answer}); err != nil {
		x.server.cfg.Log.Warn("answer", "session", x.name, "err", err)
	}
}

func (x *session) choose(ctx, asking context.Context, m jsonrpc.Message) (answer string, ok bool) {
	request := permissionRequest{SessionID: x.name, ToolCall: questionCall(m)}
	for i, option := range m.Question.Options {
		request.Options = append(request.Options, permissionOption{OptionID: strconv.Itoa(i), Name: option, Kind: "allow_once"})
	}
	var response permissionResponse
	id, err := x.server.conn.Call(asking, "session/request_permission", request, &response)
	x.update(func() { x.asked, x.withdraw = "", nil })
	switch {
	case err == nil:
	case asking.Err() != nil && ctx.Err() == nil:
		x.withdrawRequest(ctx, id)
		return "", false
	default:
		x.server.cfg.Log.Warn("question was not answered", "session", x.name, "err", err)
		return "", false
	}
	i, err := strconv.Atoi(response.Outcome.OptionID)
	if response.Outcome.Outcome != "selected" || err != nil || i < 0 || i >= len(m.Question.Options) {
		return "", false // the turn was cancelled
	}
	return m.Question.Options[i], true
}

// withdrawRequest tells the editor that a request of ours needs no answer. It answers all the same, which nobody waits for.
func (x *session) withdrawRequest(ctx context.Context, id jsonrpc2.ID) {
	x.update(func() { x.withdrawn++ })
	number, _ := id.Number()
	if err := x.server.conn.Notify(ctx, "$/cancel_request", cancelRequest{RequestID: number}); err != nil {
		x.server.cfg.Log.Debug("$/cancel_request", "session", x.name, "err", err)
	}
}

// answerOpen answers the question that waits for text, if there is one.
func (x *session) answerOpen(ctx context.Context, text string) (answered bool, err error) {
	x.mu.Lock()
	id := x.open
	x.open = ""
	x.mu.Unlock()
	if id == "" {
		return false, nil
	}
	return true, x.server.cfg.Backend.Answer(ctx, jsonrpc.AnswerParams{Session: x.name, ID: id, Answer: strings.TrimSpace(text)})
}
