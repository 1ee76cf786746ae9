package loop

import (
	"context"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/tools"
)

// A cancellation ends the request to the model; the words that came are kept, and nothing more is asked.
func TestCancelAnswer(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"text":"Hello, "},{"tool":"echo"},{"hold":"here"},{"text":"no"}]},
		{"expect":{"last":["cancelled the turn here","go on"]},"reply":[{"text":"ok"}]}`,
		func(w *world) {
			w.prompt("hi")
			w.until("the words", func(p conversation.Page) bool { return contains(p, "tool: echo pending") })
			if err := w.loop.Cancel(""); err != nil {
				w.t.Fatal(err)
			}
			page := w.over(1, conversation.Cancelled)
			if !contains(page, "assistant: Hello, ") || !contains(page, "echo cancelled") || len(w.fake.Requests()) != 1 || page.Status.Error != nil {
				w.t.Errorf("%s\n%d requests", describe(page), len(w.fake.Requests()))
			}
			w.say("go on", conversation.Done)
		})
}

func TestCancelTools(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"wait","id":"a"},{"tool":"echo","input":{"text":"quick"}},{"tool":"ask","input":{"text":"Sure?"}}]},
		{"expect":{"last":["so far","quick","cancelled the turn here","go on"]},"reply":[{"text":"ok"}]}`,
		func(w *world) {
			w.prompt("hi")
			w.until("the tools", func(p conversation.Page) bool {
				return contains(p, "wait running waiting") && contains(p, "Sure?") && contains(p, "echo done")
			})
			w.loop.Cancel("")
			w.loop.Cancel("")
			page := w.over(1, conversation.Cancelled)
			if !contains(page, "wait cancelled so far") || len(w.fake.Requests()) != 1 {
				w.t.Error(describe(page))
			}
			for _, m := range page.Messages {
				if m.Question != nil && !m.Question.Answered {
					w.t.Error("the question still waits")
				}
			}
			w.say("go on", conversation.Done)
		})
}

func TestCancelOneTool(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"wait","id":"a"},{"tool":"echo","input":{"text":"quick"}}]},
		{"expect":{"last":["so far","cancelled by the user","quick"]},"reply":[{"text":"ok"}]}`,
		func(w *world) {
			w.prompt("hi")
			w.until("the tool", func(p conversation.Page) bool { return contains(p, "wait running") })
			w.loop.Cancel("none such")
			w.loop.Cancel("a")
			page := w.over(1, conversation.Done)
			if !contains(page, "wait cancelled") {
				w.t.Error(describe(page))
			}
		})
}

// A tool that does not end when it is told to does not hold the turn up.
func TestCancelStubbornTool(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"stubborn"}]},
		{"expect":{"last":["did not end in time","go on"]},"reply":[{"text":"ok"}]}`,
		func(w *world) {
			release := make(chan struct{})
			w.tools.add("stubborn", func(context.Context, input, func(string)) (tools.Result, error) {
				<-release
				return tools.Result{}, nil
			})
			w.prompt("hi")
			w.until("the tool", func(p conversation.Page) bool { return contains(p, "stubborn running") })
			w.loop.Cancel("")
			w.over(1, conversation.Cancelled)
			w.say("go on", conversation.Done)
			close(release)
		})
}

// What is typed while a turn is being cancelled begins the next one; what was typed before belongs to what was cancelled.
func TestPromptsAroundCancel(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"slow"}]},
		{"expect":{"last":["before it","after it"]},"reply":[{"text":"ok"}]}`,
		func(w *world) {
			release := make(chan struct{})
			w.tools.add("slow", func(ctx context.Context, _ input, _ func(string)) (tools.Result, error) {
				<-ctx.Done()
				<-release
				return tools.Result{}, ctx.Err()
			})
			w.prompt("hi")
			w.until("the tool", func(p conversation.Page) bool { return contains(p, "slow running") })
			if a := w.prompt("before it"); !a.Steered {
				w.t.Errorf("%+v", a)
			}
			w.loop.Cancel("")
			if a := w.prompt("after it"); a.Steered || a.Turn != 2 {
				w.t.Errorf("%+v", a)
			}
			close(release)
			w.over(2, conversation.Done)
		})
}

func TestCancelNothing(t *testing.T) {
	t.Parallel()
	both(t, `{"reply":[{"text":"ok"}]}`, func(w *world) {
		w.loop.Cancel("")
		w.loop.Cancel("x")
		w.say("hi", conversation.Done)
	})
}

// While the host is away there is nothing to be waited for.
func TestCancelRetry(t *testing.T) {
	t.Parallel()
	both(t, `{"expect":{"last":["hi","again"]},"reply":[{"text":"ok"}]}`, func(w *world) {
		w.away.set(true)
		w.prompt("hi")
		w.until("it tries again", func(p conversation.Page) bool { return p.Status.State == conversation.Retrying })
		began := time.Now()
		w.loop.Cancel("")
		w.over(1, conversation.Cancelled)
		w.t.Log("cancelled after", time.Since(began))
		w.away.set(false)
		w.say("again", conversation.Done)
	})
}
