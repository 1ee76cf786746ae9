package acp

import (
	"context"
	"strconv"
	"strings"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// tellQuestion asks the user: by a request for permission where there are answers to choose from, else as text, to which the next prompt is the answer.
func (x *session) tellQuestion(ctx context.Context, m jsonrpc.Message, sent *sentMessage) {
	q := m.Question
	if q == nil {
		return
	}
	if q.Answered || m.Done {
		x.update(func() {
			if x.open == m.ID {
				x.open = ""
			}
		})
		return
	}
	if sent.tool != "" {
		return // asked already
	}
	sent.tool = jsonrpc.ToolRunning
	if len(q.Options) == 0 || !x.mayAsk() {
		x.say(ctx, "agent_message_chunk", m.ID, &sent.text, "\n\n"+q.Text+"\n\n")
		x.update(func() { x.open = m.ID })
		return
	}
	// Ends with the editor's answer, or with ctx; Serve waits.
	x.server.tasks.Go(func() {
		defer x.update(func() { x.asking = false })
		x.ask(ctx, m)
	})
}

// mayAsk takes the one place for a question that waits for a choice: how many there are is the container's doing.
func (x *session) mayAsk() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.asking {
		return false
	}
	x.asking = true
	return true
}

func (x *session) ask(ctx context.Context, m jsonrpc.Message) {
	request := permissionRequest{SessionID: x.name, ToolCall: toolCall{
		ToolCallID: m.ID, Title: oneLine(m.Question.Text, "question"), Kind: "other", Status: "pending",
		Content: []toolContent{{Type: "content", Content: &contentBlock{Type: "text", Text: m.Question.Text}}},
	}}
	for i, option := range m.Question.Options {
		request.Options = append(request.Options, permissionOption{OptionID: strconv.Itoa(i), Name: option, Kind: "allow_once"})
	}
	var answer permissionResponse
	if _, err := x.server.conn.Call(ctx, "session/request_permission", request, &answer); err != nil {
		x.server.cfg.Log.Warn("question was not answered", "session", x.name, "err", err)
		return
	}
	i, err := strconv.Atoi(answer.Outcome.OptionID)
	if answer.Outcome.Outcome != "selected" || err != nil || i < 0 || i >= len(m.Question.Options) {
		return // the turn was cancelled
	}
	params := jsonrpc.AnswerParams{Session: x.name, ID: m.ID, Answer: m.Question.Options[i]}
	if err := x.server.cfg.Backend.Answer(ctx, params); err != nil {
		x.server.cfg.Log.Warn("answer", "session", x.name, "err", err)
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
