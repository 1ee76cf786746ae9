package loop

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
	"github.com/sketch-ide/sketch-ide/agent/tools"
)

func TestTurn(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"thinking":"hm"},{"text":"Let me look."},{"tool":"echo","input":{"text":"one"}},{"tool":"fail"},{"tool":"nothing"}],"usage":{"input":10,"output":5}},
		{"expect":{"last":["one","no such thing","There is no tool named"]},"reply":[{"tool":"todo","input":{"text":"the plan"}}]},
		{"expect":{"last":["noted"]},"reply":[{"text":"All good."}],"usage":{"input":20,"output":5,"cacheRead":7}}`,
		func(w *world) {
			page := w.say("do it", conversation.Done)
			want := []string{"user: do it", "assistant: Let me look.", "tool: echo done one", "tool: fail failed no such thing"}
			if got := lines(page); !slices.Equal(got[:4], want) || got[6] != "assistant: All good." {
				w.t.Errorf("%s", describe(page))
			}
			if page.Messages[1].Thinking != "hm" || page.Messages[2].Tool.Title != "does echo" || string(page.Messages[2].Tool.Input) != `{"text":"one"}` {
				w.t.Errorf("%+v", page.Messages[1:3])
			}
			s := page.Status
			if s.Usage.InputTokens < 30 || s.Usage.CacheReadTokens != 7 || s.ContextUsed != 32 || len(s.Todo) != 1 || s.Todo[0].Text != "the plan" || s.Model != "mine" {
				w.t.Errorf("%+v", s)
			}
			for _, m := range page.Messages {
				if !m.Done || m.Turn != 1 {
					w.t.Errorf("%+v", m)
				}
			}
		})
}

func TestDoneEndsTheTurn(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"fail"},{"tool":"done","input":{"text":"finished"}}]},
		{"reply":[{"tool":"done","input":{"text":"finished"}}]},
		{"expect":{"last":["finished","more"]},"reply":[{"text":"ok"}]}`,
		func(w *world) {
			w.say("do it", conversation.Done)
			w.say("more", conversation.Done)
		})
}

// Results are in the order of the calls, whatever order they come in; the calls run at the same time.
func TestParallelTools(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"first","id":"a"},{"tool":"second","id":"b"}]},
		{"reply":[{"text":"ok"}]}`,
		func(w *world) {
			ran := make(chan struct{})
			w.tools.add("first", func(ctx context.Context, _ input, _ func(string)) (tools.Result, error) {
				select {
				case <-ran:
				case <-ctx.Done():
				}
				return tools.Result{Text: "from the first"}, nil
			})
			w.tools.add("second", func(context.Context, input, func(string)) (tools.Result, error) {
				close(ran)
				return tools.Result{Text: "from the second"}, nil
			})
			w.say("go", conversation.Done)
			body := string(w.fake.Requests()[1].Body)
			if i, j := strings.Index(body, "from the first"), strings.Index(body, "from the second"); i < 0 || j < i {
				w.t.Errorf("%d, %d", i, j)
			}
		})
}

// What is typed during a turn is told to the model with the next results, or makes it go on.
func TestSteering(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"gate"}]},
		{"expect":{"last":["passed","and in green"]},"reply":[{"text":"Green it is."},{"hold":"talking"}]},
		{"expect":{"last":["with dots"]},"reply":[{"text":"Dots too."}]}`,
		func(w *world) {
			reached, pass := make(chan struct{}), make(chan struct{})
			w.tools.add("gate", func(context.Context, input, func(string)) (tools.Result, error) {
				close(reached)
				<-pass
				return tools.Result{Text: "passed"}, nil
			})
			w.prompt("paint it")
			<-reached
			if a := w.prompt("and in green"); !a.Steered || a.Turn != 1 {
				w.t.Errorf("%+v", a)
			}
			if n := w.conversation.Status().Queued; n != 1 {
				w.t.Errorf("%d messages are queued", n)
			}
			close(pass)
			<-w.fake.Reached("talking")
			w.prompt("with dots")
			w.fake.Release("talking")
			page := w.over(1, conversation.Done)
			if !contains(page, "Dots too.") || page.Status.Queued != 0 {
				w.t.Error(describe(page))
			}
		})
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	both(t, `
		{"reply":[{"tool":"ask","input":{"text":"Which one?"}},{"tool":"ask","input":{"text":"And that?"}}]},
		{"expect":{"last":["answer blue","answer red"]},"reply":[{"text":"ok"}]}`,
		func(w *world) {
			w.prompt("paint it")
			page := w.until("both questions", func(p conversation.Page) bool {
				return contains(p, "Which one?") && contains(p, "And that?") && p.Status.State == conversation.Asking
			})
			answers := map[string]string{"Which one?": "blue", "And that?": "red"}
			for _, m := range page.Messages {
				if m.Question == nil {
					continue
				}
				if err := w.loop.Answer(m.ID, answers[m.Question.Text]); err != nil {
					w.t.Error(err)
				}
				if problem, ok := errors.AsType[*conversation.Problem](w.loop.Answer(m.ID, "again")); !ok || problem.Kind != "noQuestion" {
					w.t.Error("a question was answered twice")
				}
			}
			page = w.over(1, conversation.Done)
			if !contains(page, "Which one? blue") {
				w.t.Error(describe(page))
			}
		})
}

func TestAnswersThatGoWrong(t *testing.T) {
	t.Parallel()
	ok := `{"reply":[{"text":"There."}]}`
	for _, test := range []struct {
		name, steps string
		outcome     conversation.Outcome
		kind, text  string
	}{
		{"cut off words", `{"reply":[{"text":"and so"}],"stop":"length"},{"expect":{"last":["cut off"]},"reply":[{"text":"on"}]}`, conversation.Done, "", "on"},
		{"cut off call", `{"reply":[{"tool":"echo","rawInput":"{\"text\":\"ec"}],"stop":"length"},{"expect":{"last":["cut off"]},"reply":[{"text":"on"}]}`, conversation.Done, "", "on"},
		{"cut off for ever", strings.Repeat(`{"reply":[{"text":"x"}],"stop":"length"},`, 3) + `{"reply":[{"text":"x"}],"stop":"length"}`, conversation.Failed, "model", "maxOutputTokens"},
		{"no JSON", `{"reply":[{"tool":"echo","rawInput":"ls"}]},{"expect":{"last":["not a JSON object"]},"reply":[{"text":"sorry"}]}`, conversation.Done, "", "sorry"},
		{"refusal", `{"reply":[{"text":"No."}],"stop":"refusal"}`, conversation.Failed, "model", "refuses"},
		{"refusal without words", `{"reply":[],"stop":"refusal"}`, conversation.Failed, "model", "refuses"},
		{"empty once", `{"reply":[]},{"expect":{"last":["empty"]},"reply":[{"text":"Here."}]}`, conversation.Done, "", "Here."},
		{"empty", `{"reply":[]},{"reply":[]}`, conversation.Failed, "model", "empty"},
		{"empty after tools", `{"reply":[{"tool":"echo","input":{"text":"x"}}]},{"reply":[]}`, conversation.Done, "", ""},
		{"broken off once", `{"reply":[{"text":"Hello, world, how are"},{"tool":"echo"}],"fault":{"kind":"cut","after":6}},` + ok, conversation.Done, "", "asked again"},
		{"broken off", `{"reply":[{"text":"Hello, world"}],"fault":{"kind":"cut","after":3}},{"reply":[{"text":"Hello, world"}],"fault":{"kind":"reset","after":3}},{"reply":[{"text":"Hello, world"}],"fault":{"kind":"error","after":3}}`, conversation.Failed, "model", ""},
		{"wrong key", `{"status":401,"body":"{\"error\":{\"message\":\"invalid key\"}}"}`, conversation.Failed, "model", "invalid key"},
		{"overload", `{"status":529}`, conversation.Failed, "model", "529"},
		{"budget", `{"status":402,"header":{"X-Sketch-Error":"budget"},"body":"{\"error\":{\"message\":\"5 $ are used up\"}}"}`, conversation.Budget, "budget", "5 $ are used up"},
		{"unknown event", `{"reply":[{"unknown":true},{"text":"There."}]}`, conversation.Done, "", "There."},
		{"too long", `{"status":413},{"expect":{"last":["summary"]},"reply":[{"text":"We began."}]},{"expect":{"last":["We began.","go"]},"reply":[{"text":"Short now."}]}`, conversation.Done, "", "Short now."},
		{"too long for ever", `{"status":413},{"status":413},{"status":413},{"expect":{"last":["there is none"]},"status":413}`, conversation.Failed, "model", "too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// Whatever went wrong, the next message is answered.
			both(t, test.steps+`,{"expect":{"last":["are you there"]},"reply":[{"text":"Yes, here."}]}`, func(w *world) {
				page := w.say("go", test.outcome)
				if !contains(page, test.text) && (page.Status.Error == nil || !strings.Contains(page.Status.Error.Hint, test.text)) {
					w.t.Errorf("%q is not in\n%s", test.text, describe(page))
				}
				if test.kind != "" && (page.Status.Error == nil || page.Status.Error.Kind != test.kind || !contains(page, "notice: "+page.Status.Error.Message)) {
					w.t.Errorf("%+v\n%s", page.Status.Error, describe(page))
				}
				if page = w.say("are you there", conversation.Done); !contains(page, "Yes, here.") || page.Status.Error != nil {
					w.t.Error(describe(page))
				}
			})
		})
	}
}

// A model that calls tools for ever is stopped.
func TestStepLimit(t *testing.T) {
	t.Parallel()
	step := `{"reply":[{"tool":"echo","input":{"text":"again"}}]}`
	both(t, step+","+step+","+step+`,{"expect":{"last":["go on"]},"reply":[{"text":"ok"}]}`, func(w *world) {
		settings, _ := w.loop.current()
		settings.MaxSteps = 3
		if err := w.loop.Configure(settings); err != nil {
			w.t.Fatal(err)
		}
		if page := w.say("loop", conversation.Failed); !contains(page, "after 3 requests") {
			w.t.Error(describe(page))
		}
		w.say("go on", conversation.Done)
	})
}

func TestHostAway(t *testing.T) {
	t.Parallel()
	both(t, `{"reply":[{"text":"Hello."}]}`, func(w *world) {
		w.away.set(true)
		w.prompt("hi")
		w.until("it tries again", func(p conversation.Page) bool { return p.Status.State == conversation.Retrying })
		w.away.set(false)
		w.configure(conversation.Model{}) // what a host does when it comes back
		w.over(1, conversation.Done)
	})
}

func TestNoModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, llm.Anthropic, `{"reply":[{"text":"ok"}]}`)
	for _, prompt := range []conversation.Prompt{{}, {Text: " "}, {Text: strings.Repeat("x", 2<<20)}, {Images: []conversation.Image{{MIMEType: "image/tiff", Data: "eA=="}}}, {Images: []conversation.Image{{MIMEType: "image/png", Data: "!"}}}, {Text: "x", Context: make([]conversation.Snippet, 99)}} {
		if problem, ok := errors.AsType[*conversation.Problem](second(w.loop.Prompt(t.Context(), prompt))); !ok || problem.Kind != "arguments" {
			t.Errorf("%.100v was accepted", prompt)
		}
	}
	_, err := w.loop.Prompt(t.Context(), conversation.Prompt{Text: "hi", Model: "other"})
	if problem, ok := errors.AsType[*conversation.Problem](err); !ok || problem.Kind != "noModel" {
		t.Errorf("%v", err)
	}
	none := conversation.Problem{Kind: "noModel", Message: "there is no key"}
	if err := w.loop.Configure(conversation.Settings{Error: &none}); err != nil {
		t.Fatal(err)
	}
	if s := w.conversation.Status(); s.State != conversation.Off || s.Error == nil || s.Error.Message != none.Message {
		t.Errorf("%+v", s)
	}
	_, err = w.loop.Prompt(t.Context(), conversation.Prompt{Text: "hi"})
	if problem, ok := errors.AsType[*conversation.Problem](err); !ok || *problem != none {
		t.Errorf("%v", err)
	}
	w.configure(conversation.Model{})
	if page := w.say("hi", conversation.Done); page.Status.Error != nil {
		t.Errorf("%+v", page.Status.Error)
	}
}

func second[A any](_ A, err error) error { return err }
