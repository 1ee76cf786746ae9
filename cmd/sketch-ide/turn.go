package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

// Exit statuses that tell how a turn ended, beside 1 for everything that failed and 2 for a mistake on the command line.
const (
	errBudget   exitError = 3
	errQuestion exitError = 4
	errNoModel  exitError = 5
)

// turns is the latest known of an agent, for somebody who waits.
type turns struct {
	mu       sync.Mutex
	status   jsonrpc.AgentStatus         // guarded by mu
	question map[string]jsonrpc.Question // guarded by mu: that need an answer, by message
	asked    []string                    // guarded by mu: their messages, oldest first
	answered string                      // guarded by mu: the message that was answered here last
	changed  chan struct{}               // guarded by mu: closed and replaced at each change
}

func newTurns() *turns {
	return &turns{question: make(map[string]jsonrpc.Question), changed: make(chan struct{})}
}

func (t *turns) update(change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *turns) statusChanged(s jsonrpc.AgentStatus) { t.update(func() { t.status = s }) }

// maxOpenQuestions bounds what is remembered; the agent asks one at a time.
const maxOpenQuestions = 16

func (t *turns) messageChanged(m jsonrpc.Message) {
	if m.Kind != jsonrpc.MessageQuestion || m.Question == nil {
		return
	}
	t.update(func() {
		_, known := t.question[m.ID]
		switch {
		case m.Question.Answered || m.ID == t.answered:
			delete(t.question, m.ID)
		case known || len(t.asked) < maxOpenQuestions:
			if !known {
				t.asked = append(t.asked, m.ID)
			}
			t.question[m.ID] = *m.Question
		}
		kept := t.asked[:0]
		for _, id := range t.asked {
			if _, open := t.question[id]; open {
				kept = append(kept, id)
			}
		}
		t.asked = kept
	})
}

// openQuestion is the oldest question that needs an answer.
func (t *turns) openQuestion() (id string, q jsonrpc.Question, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.asked) == 0 {
		return "", jsonrpc.Question{}, false
	}
	return t.asked[0], t.question[t.asked[0]], true
}

func (t *turns) now() (jsonrpc.AgentStatus, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status, t.changed
}

// busy tells whether a turn is under way.
func busy(s jsonrpc.AgentStatus) bool {
	return s.State != jsonrpc.AgentIdle && s.State != jsonrpc.AgentOff && s.State != ""
}

// errAsked: the agent waits for an answer.
var errAsked = errors.New("the agent asks something")

// await waits for the end of a turn. With unattended it does not wait for an answer that nobody gives.
func (t *turns) await(ctx context.Context, turn int, unattended bool) (jsonrpc.AgentStatus, error) {
	for {
		status, changed := t.now()
		if status.Turn >= turn && !busy(status) {
			return status, nil
		}
		if _, _, asked := t.openQuestion(); asked && unattended {
			return status, errAsked
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return status, ctx.Err()
		}
	}
}

// outcomeError is the exit status that tells how a turn ended; nil: done.
func outcomeError(s jsonrpc.AgentStatus) error {
	switch s.Outcome {
	case jsonrpc.TurnDone:
		return nil
	case jsonrpc.TurnBudget:
		return errBudget
	case jsonrpc.TurnCancelled:
		return exitError(130)
	case jsonrpc.TurnFailed:
	}
	return exitError(1)
}

// promptOnce sends a prompt and follows its turn to the end; its error is the exit status.
func (f *front) promptOnce(ctx context.Context, sup *session.Supervisor, name string, p conversation.Prompt) error {
	turn, err := f.sendOrAnswer(ctx, sup, name, p)
	if err != nil {
		return err
	}
	status, err := f.turns.await(ctx, turn, true)
	switch {
	case errors.Is(err, errAsked):
		f.line("the agent asks something and nobody is there to answer; the next prompt is the answer")
		return errQuestion
	case err != nil:
		// Ctrl-C: the agent is not left to work for nobody. ctx has ended, so that this needs another one.
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
		defer cancel()
		return errors.Join(exitError(130), sup.CancelTurn(stop, name, ""))
	}
	f.turnOver(status)
	return errors.Join(outcomeError(status), f.awaitCommits(ctx, sup, name))
}

// commitsPatience is how long the commits of a turn may take to the host, at its end.
const commitsPatience = time.Minute

// awaitCommits waits until what was committed inside is on the host's branch, since whoever waits for the end of a turn looks there next.
func (f *front) awaitCommits(ctx context.Context, sup *session.Supervisor, name string) error {
	ctx, cancel := context.WithTimeout(ctx, commitsPatience)
	defer cancel()
	var out commitName
	if err := sup.Exec(ctx, name, []string{"git", "rev-parse", "HEAD"}, session.Streams{Out: &out}); err != nil {
		return err
	}
	tip := strings.TrimSpace(string(out))
	for {
		changed := f.branchChanged()
		b, err := sup.Branch(name)
		if err != nil {
			return err
		}
		if b.Commit == tip || b.Base == tip {
			return nil
		}
		if b.Err != nil {
			return b.Err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("bring commit %.12s out: %w", tip, ctx.Err())
		}
	}
}

// commitName is what git says a commit is called. The git of a container may say more, without end.
type commitName []byte

// Write takes the longest name and its line end.
func (c *commitName) Write(p []byte) (int, error) {
	const longest = 64 + len("\r\n")
	if len(*c)+len(p) > longest {
		return 0, errors.New("git inside answers with more than the name of a commit")
	}
	*c = append(*c, p...)
	return len(p), nil
}

// branchChanged is closed when the branch has changed after this call.
func (f *front) branchChanged() <-chan struct{} {
	_, changed := f.turns.now()
	return changed
}

// sendOrAnswer takes the text for the answer where the agent has asked, as it may have done at the end of an earlier command. It returns the turn that
// is to be awaited.
func (f *front) sendOrAnswer(ctx context.Context, sup *session.Supervisor, name string, p conversation.Prompt) (turn int, err error) {
	if id, _, asked := f.turns.openQuestion(); asked {
		status, _ := f.turns.now()
		if err := sup.Answer(ctx, name, id, strings.TrimSpace(p.Text)); err != nil {
			return 0, err
		}
		f.turns.update(func() {
			f.turns.answered = id // whatever is still on its way
			f.turns.asked = nil
			delete(f.turns.question, id)
			f.turns.status.State = jsonrpc.AgentThinking
		})
		return status.Turn, nil
	}
	accepted, err := f.send(ctx, sup, name, p)
	return accepted.Turn, err
}

// send hands a prompt over. Without a model there is a status of its own.
func (f *front) send(ctx context.Context, sup *session.Supervisor, name string, p conversation.Prompt) (conversation.Accepted, error) {
	if err := chosenModel(sup, p.Model); err != nil {
		return conversation.Accepted{}, noModelStatus(f, err)
	}
	f.typed(p.Text)
	accepted, _, err := sup.Prompt(ctx, name, p)
	return accepted, noModelStatus(f, err)
}

func noModelStatus(f *front, err error) error {
	if err == nil {
		return nil
	}
	if e := explain(err); e.Kind == jsonrpc.KindNoModel {
		f.line("%s (%s, %d)\nhint: %s", e.Message, e.Kind, e.Kind.Code(), e.Hint)
		return errNoModel
	}
	return err
}
