package loop

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
)

// defaultWindow is what the models of a provider can read at least, where the settings do not say.
var defaultWindow = map[string]int{llm.Anthropic: 200_000}

// crowded says whether the next request would come near the end of the context. Where it is not known how much a model can read, its
// server's refusal tells.
func (l *Loop) crowded() bool {
	_, model := l.current()
	room := window(model)
	if room == 0 || len(l.history.messages) < 4 {
		return false
	}
	reserve := max(room/10, min(model.MaxOutputTokens, room/4))
	return l.cfg.Conversation.Status().ContextUsed+l.history.grown > room-reserve
}

// window is how many tokens a model can read; 0: not known.
func window(m conversation.Model) int { return cmp.Or(m.ContextWindow, defaultWindow[m.Provider]) }

const compactInstruction = `<note>
This conversation has become too long and is about to be replaced by a summary that you write now. Do not call tools. Write, for yourself,
everything that is needed to go on as if nothing had been forgotten:
1. what the user wants, with every wish and correction that still counts;
2. what is done: changes by file, commits, decisions and why;
3. what was found out: how to build and test, names of functions and files, errors that were seen and their causes;
4. what runs now: background jobs, ports;
5. what is left to be done, the next step first.
Be exact with names and short with everything else.
</note>`

// compact replaces the history by a summary of it, the user's messages, the plan and the files. What the model cannot summarise is
// shortened without it.
func (l *Loop) compact(ctx context.Context) error {
	if err := l.to(full); err != nil {
		return err
	}
	before := l.cfg.Conversation.Status().ContextUsed
	summary, err := l.summarise(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e, ok := errors.AsType[*llm.Error](err); ok && (e.Reason == llm.Budget || e.Reason == llm.NoModel) {
		return err
	}
	if err != nil {
		l.cfg.Log.Warn("summarise conversation", "err", err)
	}
	l.write(record{Set: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Text: l.digest(summary)}}}}})
	l.tools.Shortened()
	l.system = "" // what it says of the workspace may have changed
	l.cfg.Conversation.SetStatus(func(s *conversation.Status) { s.ContextUsed = estimate(l.history.messages[0].Blocks) })
	text := "The conversation was shortened to make room: it took " + fmt.Sprint(before) + " tokens."
	if summary != "" {
		text += "\n\n" + summary
	}
	l.notice(text, nil)
	return l.to(shortened)
}

// summarise asks the model for a summary, the second time with less to read.
func (l *Loop) summarise(ctx context.Context) (string, error) {
	req, _ := l.request(ctx)
	req.Purpose = "compact"
	whole := slices.Clone(req.Messages)
	for attempt := range 2 {
		if attempt > 0 {
			whole = mend(leaner(whole))
		}
		messages := slices.Clone(whole)
		last := &messages[len(messages)-1]
		last.Blocks = append(slices.Clone(last.Blocks), llm.Block{Text: compactInstruction})
		req.Messages = messages
		res, err := l.patiently(ctx, req)
		e, ok := errors.AsType[*llm.Error](err)
		if err == nil || !ok || e.Reason == llm.Budget || e.Reason == llm.NoModel || ctx.Err() != nil {
			return res.Text(), err
		}
	}
	return "", errors.New("the model could not summarise")
}

// patiently asks for as long as the host is away.
func (l *Loop) patiently(ctx context.Context, req llm.Request) (llm.Response, error) {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		res, err := l.cfg.Model.Stream(ctx, req, nil)
		l.count(res.Usage, false)
		if e, ok := errors.AsType[*llm.Error](err); !ok || e.Reason != llm.Unreachable || ctx.Err() != nil {
			return res, err
		}
		if err := errors.Join(l.to(lost), l.pause(ctx, wait), l.to(full)); err != nil {
			return res, err
		}
	}
}

const (
	leanText = 1 << 10
	leanTail = 40 // messages
)

// leaner returns the end of a conversation with its results cut short and without pictures.
func leaner(messages []llm.Message) []llm.Message {
	var lean []llm.Message
	for _, m := range messages[max(len(messages)-leanTail, 0):] {
		kept := llm.Message{Role: m.Role, Model: m.Model}
		for _, b := range m.Blocks {
			switch {
			case b.Image != nil, b.Thinking != nil:
				continue
			case b.Result != nil:
				b.Result = &llm.Result{ID: b.Result.ID, Text: conversation.Clip(b.Result.Text, leanText), Failed: b.Result.Failed}
			case b.Call != nil && len(b.Call.Input) > leanText:
				b.Call = &llm.Call{ID: b.Call.ID, Name: b.Call.Name, Input: json.RawMessage(`{}`)}
			default:
				b.Text = conversation.Clip(b.Text, 8*leanText)
			}
			kept.Blocks = append(kept.Blocks, b)
		}
		lean = append(lean, kept)
	}
	return lean
}

// digest is what takes the place of the history.
func (l *Loop) digest(summary string) string {
	var b strings.Builder
	b.WriteString("<note>\nThe conversation before this was too long and was shortened. This is what is kept of it.\n\n# The user's messages, oldest first\n")
	for _, task := range l.history.tasks {
		b.WriteString("\n" + task + "\n---\n")
	}
	b.WriteString("\n# Your plan\n\n")
	for _, item := range l.cfg.Conversation.Status().Todo {
		fmt.Fprintf(&b, "- [%s] %s\n", item.Status, item.Text)
	}
	b.WriteString("\n# Files that you worked with\n\n")
	for _, file := range filesOf(l.history.messages) {
		b.WriteString("- " + file + "\n")
	}
	if summary == "" {
		summary = "(there is none: look at git log, git status and git diff)\n\nYour last words:\n" + lastWords(l.history.messages)
	}
	b.WriteString("\n# Your summary\n\n" + conversation.Clip(summary, 64<<10) + "\n\nGo on with the work.\n</note>")
	return b.String()
}

const maxFiles = 100

// filesOf returns the paths that tools were given, and those that an earlier digest names, the latest first.
func filesOf(messages []llm.Message) []string {
	seen := make(map[string]int)
	for i, m := range messages {
		for _, b := range m.Blocks {
			var input struct {
				Path string `json:"path"`
			}
			if b.Call != nil && json.Unmarshal(b.Call.Input, &input) == nil && input.Path != "" && len(input.Path) < 1000 {
				seen[input.Path] = i + 1
			}
			if _, list, ok := strings.Cut(b.Text, "\n# Files that you worked with\n\n"); ok {
				list, _, _ = strings.Cut(list, "\n\n# ")
				for line := range strings.Lines(list) {
					if path, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok {
						seen[path] = max(seen[path], i+1)
					}
				}
			}
		}
	}
	paths := slices.Sorted(maps.Keys(seen))
	slices.SortStableFunc(paths, func(a, b string) int { return seen[b] - seen[a] })
	return paths[:min(len(paths), maxFiles)]
}

func lastWords(messages []llm.Message) string {
	for _, m := range slices.Backward(messages) {
		if words := (llm.Response{Blocks: m.Blocks}).Text(); m.Role == llm.Assistant && words != "" {
			return conversation.ClipTail(words, 8<<10)
		}
	}
	return "(none)"
}
