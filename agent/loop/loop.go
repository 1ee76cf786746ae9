package loop

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
	"github.com/sketch-ide/sketch-ide/agent/tools"
	"github.com/sketch-ide/sketch-ide/ports"
)

// Streamer asks a model; see [llm.Client.Stream].
type Streamer interface {
	Stream(ctx context.Context, req llm.Request, on func(llm.Delta)) (llm.Response, error)
}

// Toolset is what the agent can do; see [tools.Set].
type Toolset interface {
	Tools(ctx context.Context) []tools.Tool
	JobsNote() string
	Shortened() // the conversation was
	Close()
}

// Hooks are what tools need of the loop.
type Hooks struct {
	Ask  func(ctx context.Context, question string, options []string) (string, error)
	Todo func([]tools.TodoItem)
}

// Config is what a loop needs.
type Config struct {
	Conversation *conversation.Conversation // required; the loop is its one writer
	History      *History                   // of the transcript that the conversation goes on with; nil: there is none
	Model        Streamer                   // required
	Tools        func(Hooks) Toolset        // required; called once
	Dir          string                     // the workspace
	State        string                     // a directory for prompts that are too long to be sent
	Env          []string                   // environment of git
	Ports        func(context.Context) (ports.Snapshot, error)
	Notes        func() string // what else is news to the model since it was called last; empty: nothing; may be nil
	Guidance     func(dir string) string
	Configured   func(conversation.Settings) // is told settings as they come; may be nil
	Log          *slog.Logger                // nil discards
}

// Loop is the agent. Its methods may be called concurrently.
type Loop struct {
	cfg     Config
	history *History // of the goroutine of Run
	tools   Toolset
	wake    chan struct{} // holds one: there is a prompt
	nudge   chan struct{} // holds one: settings came, so that the host is there
	running sync.WaitGroup

	mu        sync.Mutex // guards the fields below
	state     conversation.State
	settings  conversation.Settings
	model     string // name of the model that was chosen; empty: the default
	inbox     []waiting
	number    int                     // of the current or last turn
	active    bool                    // a turn runs, or is about to
	cancel    context.CancelCauseFunc // of the turn that runs
	closing   bool                    // the turn is over but for its end; what comes begins another one
	early     bool                    // the turn was cancelled before it began
	calls     map[string]context.CancelCauseFunc
	questions map[string]chan string
	usage     conversation.Usage

	// Of the goroutine of Run:
	told               map[uint16]string // open ports that the model knows of
	system, instructed string            // the system prompt, and the instructions that it was made with; empty: to be made
}

// maxInbox bounds the prompts that wait; one more is refused.
const maxInbox = 100

// New returns a loop that goes on where the transcript ended. It starts nothing.
func New(cfg Config) *Loop {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Guidance == nil {
		cfg.Guidance = tools.Guidance
	}
	l := &Loop{
		cfg: cfg, history: cmp.Or(cfg.History, &History{}), wake: make(chan struct{}, 1), nudge: make(chan struct{}, 1),
		calls: make(map[string]context.CancelCauseFunc), questions: make(map[string]chan string), state: conversation.Off,
	}
	l.resume()
	l.tools = cfg.Tools(Hooks{Ask: l.askUser, Todo: l.setTodo})
	return l
}

// resume makes the history valid and ends the turn in which the process before this one ended. It is not gone on with unasked, which
// would be a paid request that nobody sees.
func (l *Loop) resume() {
	mended := mend(l.history.messages)
	status := l.cfg.Conversation.Status()
	l.number, l.usage, l.model = status.Turn, status.Usage, l.history.model
	interrupted := status.State != conversation.Off && status.State != conversation.Idle
	waiting := l.history.prompts
	l.history.prompts = nil
	for _, w := range waiting {
		l.number = max(l.number, w.turn)
	}
	if len(mended) > 0 && !sameHistory(mended, l.history.messages) {
		l.write(record{Set: mended})
	}
	l.take(waiting, nil)
	if interrupted || len(waiting) > 0 {
		l.cfg.Conversation.Add(conversation.Notice, l.number, func(m *conversation.Message) {
			m.Text = "The agent was started anew in the middle of this turn. What was said and done is kept; a message lets it go on."
			m.Error = &conversation.Problem{Kind: "disconnected", Message: "the agent was started anew", Retryable: true}
		})
	}
	l.cfg.Conversation.SetStatus(func(s *conversation.Status) {
		if interrupted || len(waiting) > 0 {
			s.Outcome, s.Error = conversation.Failed, &conversation.Problem{Kind: "disconnected", Message: "the agent was started anew", Retryable: true}
		}
		s.State, s.Turn, s.Queued, s.Since = conversation.Off, l.number, 0, time.Time{}
	})
}

func sameHistory(a, b []llm.Message) bool {
	return slices.EqualFunc(a, b, func(a, b llm.Message) bool {
		return a.Role == b.Role && slices.Equal(a.Blocks, b.Blocks)
	})
}

// Run takes prompts and runs turns until ctx ends, and returns nil then, when everything that it started has ended.
func (l *Loop) Run(ctx context.Context) error {
	defer l.running.Wait()
	defer l.tools.Close()
	for {
		select {
		case <-l.wake:
		case <-ctx.Done():
			return nil
		}
		for l.begin(ctx) {
			if ctx.Err() != nil {
				return nil
			}
		}
	}
}

// begin runs one turn if there is something to do, and says whether it has.
func (l *Loop) begin(ctx context.Context) bool {
	turnCtx, cancelTurn := context.WithCancelCause(ctx)
	defer cancelTurn(nil)
	l.mu.Lock()
	if len(l.inbox) == 0 {
		l.mu.Unlock()
		return false
	}
	l.number, l.active, l.cancel = max(l.number, l.inbox[0].turn), true, cancelTurn
	number := l.number
	l.cfg.Conversation.SetStatus(func(s *conversation.Status) {
		s.Turn, s.Since, s.Outcome, s.Error, s.Uncommitted = number, time.Now().UTC().Round(0), "", nil, nil
		s.Model, s.ContextSize = l.modelLocked().Name, window(l.modelLocked())
	})
	err := l.toLocked(begin)
	if err == nil && l.early {
		l.early = false
		cancelTurn(errCancelled)
		err = l.toLocked(cancel)
	}
	l.mu.Unlock()
	outcome, problem := conversation.Failed, problemOf(err)
	if err == nil {
		l.cfg.Conversation.KeepStatus()
		outcome, problem = l.guarded(turnCtx)
	}
	if ctx.Err() != nil {
		return true // the process ends: what the transcript has is gone on with later
	}
	l.end(ctx, outcome, problem)
	return true
}

// guarded contains a panic of a turn: the process is the container's, and has more to do.
func (l *Loop) guarded(ctx context.Context) (outcome conversation.Outcome, problem *conversation.Problem) {
	defer func() {
		if r := recover(); r != nil {
			l.cfg.Log.Error("panic in a turn", "panic", r, "stack", string(debug.Stack()))
			outcome, problem = conversation.Failed, problemOf(fmt.Errorf("panic: %v", r))
		}
	}()
	return l.turn(ctx)
}

// end ends the turn. What was typed for a turn that the user cancelled is kept for the model, and begins no other one; what was typed for one
// that failed does.
func (l *Loop) end(ctx context.Context, outcome conversation.Outcome, problem *conversation.Problem) {
	if mended := mend(l.history.messages); !sameHistory(mended, l.history.messages) {
		l.write(record{Set: mended})
	}
	var uncommitted []string
	if outcome == conversation.Done {
		uncommitted = l.uncommitted(ctx)
	}
	l.mu.Lock()
	ended := l.number
	late, rest := split(l.inbox, ended)
	if outcome != conversation.Cancelled {
		late, rest = nil, l.inbox
	}
	l.inbox, l.active, l.closing, l.cancel = rest, len(rest) > 0, false, nil
	if l.active {
		l.number = max(rest[0].turn, ended+1)
	}
	if problem != nil {
		l.cfg.Conversation.Add(conversation.Notice, ended, func(m *conversation.Message) { m.Text, m.Error = problem.Message, problem })
	}
	l.cfg.Conversation.SetStatus(func(s *conversation.Status) {
		s.Outcome, s.Error, s.Since, s.Uncommitted = outcome, problem, time.Time{}, uncommitted
	})
	err := l.toLocked(end)
	if err == nil && len(l.settings.Models) == 0 {
		err = l.toLocked(unconfigured)
	}
	l.mu.Unlock()
	if err != nil {
		l.cfg.Log.Error("end turn", "err", err)
	}
	l.take(late, nil)
	if outcome != conversation.Done {
		uncommitted = l.uncommitted(ctx)
		l.cfg.Conversation.SetStatus(func(s *conversation.Status) { s.Uncommitted = uncommitted })
	}
	l.cfg.Conversation.KeepStatus()
	l.tellTrouble()
}

func split(inbox []waiting, number int) (late, rest []waiting) {
	for _, w := range inbox {
		if w.turn <= number {
			late = append(late, w)
		} else {
			rest = append(rest, w)
		}
	}
	return late, rest
}

// tellTrouble says once that the transcript cannot be written, as on a full disk.
func (l *Loop) tellTrouble() {
	if err := l.cfg.Conversation.Trouble(); err != nil {
		l.cfg.Log.Error("transcript", "err", err)
		l.notice("The conversation cannot be kept on the disk inside ("+err.Error()+"). It goes on, but a restart will not know of it.",
			&conversation.Problem{Kind: "internal", Message: err.Error(), Hint: "Look whether the disk inside is full: df -h"})
		_ = l.cfg.Conversation.Trouble() // of this notice itself
	}
}

// notice tells people something.
func (l *Loop) notice(text string, problem *conversation.Problem) {
	l.mu.Lock()
	number := l.number
	l.mu.Unlock()
	l.cfg.Conversation.Add(conversation.Notice, number, func(m *conversation.Message) { m.Text, m.Error = text, problem })
}

// write applies a change to the history and the transcript.
func (l *Loop) write(r record) {
	l.history.apply(r)
	data, err := json.Marshal(r)
	if err != nil {
		l.cfg.Log.Error("encode history", "err", err)
		return
	}
	l.cfg.Conversation.Keep(conversation.Record{History: data})
}

// say adds blocks of the user's side to the history.
func (l *Loop) say(blocks ...llm.Block) {
	if len(blocks) > 0 {
		l.write(record{Add: &llm.Message{Role: llm.User, Blocks: blocks}})
	}
}

// take adds prompts to the history, and whatever else is to be told.
func (l *Loop) take(prompts []waiting, notes []string) {
	var blocks []llm.Block
	var ids []string
	for _, note := range notes {
		blocks = append(blocks, llm.Block{Text: "<note>\n" + note + "\n</note>"})
	}
	for _, w := range prompts {
		ids = append(ids, w.id)
		blocks = append(blocks, l.expand(w)...)
	}
	if len(blocks) == 0 {
		return
	}
	known := l.history.prompts
	l.history.prompts = append(slices.Clone(prompts), known...)
	l.write(record{Add: &llm.Message{Role: llm.User, Blocks: blocks}, Took: ids})
}
