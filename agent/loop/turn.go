package loop

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
)

// Bounds of a turn.
const (
	defaultSteps = 200 // requests to the model
	maxCutOff    = 3   // answers in a row that had no room
	maxPauses    = 20
)

// turnState is what one turn remembers.
type turnState struct {
	steps   int
	cutOff  int  // answers in a row that were cut off
	empty   int  // answers in a row that said nothing
	tooLong bool // the last request was refused as too long
}

// turn runs a turn to its end. It returns how it ended and what people are to be told of that.
func (l *Loop) turn(ctx context.Context) (conversation.Outcome, *conversation.Problem) {
	var t turnState
	for {
		l.take(l.arrived(), l.notes(ctx))
		settings, _ := l.current()
		if limit := cmp.Or(settings.MaxSteps, defaultSteps); t.steps >= limit {
			return conversation.Failed, &conversation.Problem{
				Kind: "model", Message: fmt.Sprintf("The turn was ended after %d requests to the model.", limit),
				Hint: "A message lets it go on. The setting for it is the budget of a turn, calls.", Retryable: true,
			}
		}
		t.steps++
		goOn, err := l.step(ctx, &t)
		if ctx.Err() != nil {
			return l.cancelled(ctx)
		}
		if err != nil {
			return failed(err)
		}
		if !goOn && l.finish() {
			return conversation.Done, nil
		}
	}
}

// arrived returns the prompts that came since it was called last.
func (l *Loop) arrived() []waiting {
	l.mu.Lock()
	defer l.mu.Unlock()
	arrived, rest := split(l.inbox, l.number)
	l.inbox = rest
	l.cfg.Conversation.SetStatus(func(s *conversation.Status) { s.Queued = 0 })
	return arrived
}

// finish says whether the turn can end: nobody has said anything since the model was asked last. If so, what comes from now on begins another one.
func (l *Loop) finish() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = len(l.inbox) == 0
	return l.closing
}

// step asks the model once and runs the tools that it calls. It says whether the model has to be asked again.
func (l *Loop) step(ctx context.Context, t *turnState) (goOn bool, err error) {
	if t.tooLong || l.crowded() {
		if err := l.compact(ctx); err != nil {
			return false, err
		}
	}
	res, err := l.ask(ctx)
	if e, ok := errors.AsType[*llm.Error](err); ok && e.Reason == llm.TooLong && !t.tooLong {
		t.tooLong = true
		return true, nil
	}
	if err != nil {
		return false, err
	}
	t.tooLong = false
	return l.respond(ctx, t, res)
}

// respond does what an answer asks for.
func (l *Loop) respond(ctx context.Context, t *turnState, res answered) (goOn bool, err error) {
	if len(res.Blocks) > 0 {
		l.write(record{Add: &llm.Message{Role: llm.Assistant, Blocks: res.Blocks, Model: res.model}})
	}
	if calls := res.Calls(); len(calls) > 0 {
		t.empty = 0
		if t.cutOff = countIf(res.Stop == llm.StopLength, t.cutOff); t.cutOff > maxCutOff {
			return false, cutOffError()
		}
		ended, err := l.runTools(ctx, res)
		return !ended, err
	}
	switch {
	case res.Stop == llm.StopRefusal:
		return false, &conversation.Problem{Kind: "model", Message: "The model refuses to answer this.", Hint: "Say it in another way, or choose another model."}
	case res.Stop == llm.StopLength:
		if t.cutOff = countIf(true, t.cutOff); t.cutOff > maxCutOff {
			return false, cutOffError()
		}
		l.say(llm.Block{Text: "<note>\nYour answer was cut off: it was longer than the limit. Go on where it ends, or do it in smaller steps.\n</note>"})
		return true, nil
	case res.Stop == llm.StopPause && t.steps < maxPauses:
		l.say(llm.Block{Text: "<note>\nGo on.\n</note>"})
		return true, nil
	case res.Text() == "":
		return l.sayNothing(t)
	}
	return false, nil
}

// sayNothing handles an answer without words or calls. After the results of tools it is how some models end; else they are asked once more.
func (l *Loop) sayNothing(t *turnState) (goOn bool, err error) {
	if n := len(l.history.messages); n > 0 && t.empty == 0 && l.history.messages[n-1].Role == llm.User && len(l.history.messages[n-1].Blocks) > 0 &&
		l.history.messages[n-1].Blocks[0].Result != nil && t.steps > 1 {
		return false, nil
	}
	if t.empty++; t.empty > 1 {
		return false, &conversation.Problem{Kind: "model", Message: "The model's answers are empty.", Hint: "Say it in another way, or choose another model.", Retryable: true}
	}
	l.say(llm.Block{Text: "<note>\nYour answer was empty.\n</note>"})
	return true, nil
}

func countIf(condition bool, n int) int {
	if condition {
		return n + 1
	}
	return 0
}

func cutOffError() error {
	return &conversation.Problem{
		Kind: "model", Message: "The model's answers are longer than its limit, again and again.",
		Hint: "Raise maxOutputTokens of the model in the settings.", Retryable: true,
	}
}

// cancelled tells the model, with its next request, that the user ended the turn.
func (l *Loop) cancelled(ctx context.Context) (conversation.Outcome, *conversation.Problem) {
	if errors.Is(context.Cause(ctx), errCancelled) {
		l.say(llm.Block{Text: "<note>\nThe user cancelled the turn here. Do not go on with it unless asked.\n</note>"})
	}
	return conversation.Cancelled, nil
}

// failed turns an error into the turn's outcome.
func failed(err error) (conversation.Outcome, *conversation.Problem) {
	problem := problemOf(err)
	if problem.Kind == "budget" {
		return conversation.Budget, problem
	}
	return conversation.Failed, problem
}

// problemOf says an error to people.
func problemOf(err error) *conversation.Problem {
	if err == nil {
		return nil
	}
	if problem, ok := errors.AsType[*conversation.Problem](err); ok {
		return problem
	}
	e, ok := errors.AsType[*llm.Error](err)
	if !ok {
		return &conversation.Problem{Kind: "internal", Message: "The turn failed: " + err.Error()}
	}
	switch e.Reason {
	case llm.Budget:
		return &conversation.Problem{Kind: "budget", Message: e.Error(), Hint: "Raise the budget in the settings; a message lets the work go on."}
	case llm.NoModel:
		return &conversation.Problem{Kind: "noModel", Message: e.Error(), Hint: "Look at the setting models and at its key."}
	case llm.TooLong:
		return &conversation.Problem{Kind: "model", Message: "The conversation is too long for the model, even shortened.", Hint: "Set the model's contextWindow, or choose one that can read more."}
	default:
		return &conversation.Problem{Kind: "model", Message: e.Error(), Hint: hint(e), Retryable: e.Status == 0 || e.Status == 429 || e.Status >= 500}
	}
}

func hint(e *llm.Error) string {
	switch {
	case e.Status == 401 || e.Status == 403:
		return "Look at the model's key."
	case e.Status == 404:
		return "Look whether the model's name in the settings is right."
	case e.Status == 429:
		return "The provider's limit is reached: wait, or choose another model."
	case e.Status >= 500 || e.Status == 0:
		return "The model's server has trouble: try again."
	}
	return "A message lets the work go on."
}
