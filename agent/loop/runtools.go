package loop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
	"github.com/sketch-ide/sketch-ide/agent/tools"
)

const (
	maxParallel = 8
	// overdue is how long a cancelled turn waits for its tools. They end their processes at once when they are told to; one that does
	// not is left behind, and its result is dropped.
	overdue = 3 * time.Second
)

// outcome is what came of one call.
type outcome struct {
	result llm.Result
	ends   bool // it says that the work is finished
}

// runTools runs the calls of an answer at the same time and adds their results to the history in the order of the calls. It says whether
// one of them ends the turn, which it does only where none failed.
func (l *Loop) runTools(ctx context.Context, res answered) (ended bool, err error) {
	if err := l.to(call); err != nil {
		return false, err
	}
	calls := res.Calls()
	outcomes := make([]chan outcome, len(calls))
	slots := make(chan struct{}, maxParallel)
	for i, c := range calls {
		outcomes[i] = make(chan outcome, 1)
		// Ended by the tool, which ctx ends; waited for below, and in the end by Run.
		l.running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			outcomes[i] <- l.runTool(ctx, c, res)
		})
	}
	late, stop := deadline(ctx, overdue)
	defer stop()
	var blocks []llm.Block
	ends, failed := false, false
	for i, c := range calls {
		o := outcome{result: llm.Result{ID: c.ID, Text: "[cancelled by the user; it did not end in time]", Failed: true}}
		select {
		case o = <-outcomes[i]:
		case <-late:
		}
		ends, failed = ends || o.ends, failed || o.result.Failed
		blocks = append(blocks, llm.Block{Result: &o.result})
	}
	l.write(record{Add: &llm.Message{Role: llm.User, Blocks: blocks}})
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return ends && !failed, l.to(results)
}

// deadline is closed some time after ctx has ended.
func deadline(ctx context.Context, after time.Duration) (late <-chan struct{}, stop func()) {
	closed := make(chan struct{})
	timer := time.AfterFunc(time.Hour, func() { close(closed) })
	timer.Stop()
	unwatch := context.AfterFunc(ctx, func() { timer.Reset(after) })
	return closed, func() { unwatch(); timer.Stop() }
}

// runTool runs one call and shows how it goes.
func (l *Loop) runTool(ctx context.Context, c llm.Call, res answered) outcome {
	ctx, cancelCall := context.WithCancelCause(ctx)
	defer cancelCall(nil)
	entry := l.entryOf(c, res)
	tool := res.tools[c.Name]
	if tool == nil && c.Broken == "" {
		c.Broken = fmt.Sprintf("There is no tool named %q. There are: %s.", c.Name, strings.Join(slices.Sorted(maps.Keys(res.tools)), ", "))
	}
	if c.Broken != "" {
		updateTool(entry.Done, func(t *conversation.ToolCall) { t.State, t.Output = conversation.ToolFailed, c.Broken })
		return outcome{result: llm.Result{ID: c.ID, Text: c.Broken, Failed: true}}
	}
	if ctx.Err() != nil {
		return l.conclude(ctx, c, entry, tools.Result{}, ctx.Err(), 0)
	}
	l.mu.Lock()
	l.calls[c.ID] = cancelCall
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.calls, c.ID)
	}()
	began := time.Now()
	updateTool(entry.Update, func(t *conversation.ToolCall) {
		t.State, t.Title, t.Input = conversation.ToolRunning, tool.Title(c.Input), c.Input
	})
	result, err := tool.Run(ctx, tools.Call{ID: c.ID, Input: c.Input, Output: func(soFar string) {
		updateTool(entry.Update, func(t *conversation.ToolCall) { t.Output = soFar })
	}})
	return l.conclude(ctx, c, entry, result, err, time.Since(began))
}

// entryOf is the message of a call, which was begun while the call arrived.
func (l *Loop) entryOf(c llm.Call, res answered) *conversation.Entry {
	if entry := res.entries[c.ID]; entry != nil {
		return entry
	}
	l.mu.Lock()
	number := l.number
	l.mu.Unlock()
	return l.cfg.Conversation.Begin(conversation.Tool, number, func(m *conversation.Message) {
		m.Tool = &conversation.ToolCall{ID: c.ID, Name: c.Name, Title: c.Name, State: conversation.ToolPending}
	})
}

// updateTool changes the tool call of a message, of which readers may hold a copy.
func updateTool(update func(func(*conversation.Message)), change func(*conversation.ToolCall)) {
	update(func(m *conversation.Message) {
		t := *m.Tool
		change(&t)
		m.Tool = &t
	})
}

// conclude shows what came of a call, and makes of it what the model is told.
func (l *Loop) conclude(ctx context.Context, c llm.Call, entry *conversation.Entry, r tools.Result, err error, took time.Duration) outcome {
	state := conversation.ToolDone
	switch {
	case ctx.Err() != nil && err != nil:
		state, r.Failed = conversation.ToolCancelled, true
		r.Text = strings.TrimSpace(r.Text + "\n[" + reasonOf(ctx) + "]")
	case err != nil:
		state, r.Failed = conversation.ToolFailed, true
		r.Text = strings.TrimSpace(r.Text + "\n" + err.Error())
	case r.Failed:
		state = conversation.ToolFailed
	}
	result := llm.Result{ID: c.ID, Text: conversation.Clip(strings.ToValidUTF8(r.Text, "\uFFFD"), conversation.MaxOutput), Failed: r.Failed}
	shown := make([]conversation.Image, 0, len(r.Images))
	for _, image := range r.Images {
		if !goodImage(image.MIMEType, len(image.Data)) || len(result.Images) == conversation.MaxImages {
			result.Text += "\n[a picture was left out: it is too large, or none that can be sent]"
			continue
		}
		result.Images = append(result.Images, llm.Image{MIMEType: image.MIMEType, Data: image.Data})
		shown = append(shown, showImage(image))
	}
	entry.Done(func(m *conversation.Message) {
		t := *m.Tool
		t.State, t.Output, t.Diff, t.DurationMS = state, result.Text, r.Diff, took.Milliseconds()
		m.Tool, m.Images = &t, shown
	})
	return outcome{result: result, ends: r.EndTurn && !r.Failed}
}

func reasonOf(ctx context.Context) string {
	if cause := context.Cause(ctx); errors.Is(cause, errToolCancelled) {
		return cause.Error()
	}
	return errCancelled.Error()
}
