package jsonrpc

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// fakeBackend is a backend that a test plays. It records what it is asked to do.
type fakeBackend struct {
	mu       sync.Mutex
	calls    []string                // guarded by mu
	failures map[string]error        // guarded by mu: what the next call of a method returns
	blocked  map[string]bool         // guarded by mu: methods that wait for the end of their context
	steps    []fakeStep              // guarded by mu: what the next start reports
	panics   map[string]bool         // guarded by mu
	during   map[string][]func()     // guarded by mu: what happens in the next call of a method
	ports    map[string]map[int]Port // guarded by mu
}

type fakeStep struct {
	Message string `json:"message"`
	Percent int    `json:"percent"`
	Wait    string `json:"wait"` // before the next
}

func newFakeBackend() *fakeBackend {
	return &fakeBackend{
		failures: make(map[string]error), blocked: make(map[string]bool), panics: make(map[string]bool),
		during: make(map[string][]func()), ports: make(map[string]map[int]Port),
	}
}

// called records a call and plays what the test asked for.
func (b *fakeBackend) called(ctx context.Context, method string, params any) error {
	text := method
	if params != nil {
		raw, err := json.Marshal(params)
		if err != nil {
			return err
		}
		text += " " + string(raw)
	}
	b.mu.Lock()
	b.calls = append(b.calls, text)
	blocked, panics, err := b.blocked[method], b.panics[method], b.failures[method]
	during := b.during[method]
	delete(b.failures, method)
	delete(b.during, method)
	b.mu.Unlock()
	for _, happen := range during {
		happen()
	}
	if len(during) > 0 {
		time.Sleep(time.Millisecond) // of the synctest bubble: the editor is told before the answer
	}
	if panics {
		panic("played")
	}
	if blocked {
		<-ctx.Done()
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
	return err
}

func (b *fakeBackend) takeCalls() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls
	b.calls = nil
	return calls
}

func (b *fakeBackend) setPorts(session string, ports []Port) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ports[session] = make(map[int]Port)
	for _, port := range ports {
		b.ports[session][port.Number] = port
	}
}

func (b *fakeBackend) port(p PortParams) (Port, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(b.ports)) {
		if port, ok := b.ports[name][p.Port]; ok && (p.Session == "" || p.Session == name) {
			return port, nil
		}
	}
	return Port{}, &Error{Kind: KindNoPort, Message: fmt.Sprintf("port %d is not open", p.Port)}
}

func (b *fakeBackend) Configure(settings json.RawMessage, _ bool) error {
	return b.called(context.Background(), "configure", settings)
}

func (b *fakeBackend) Start(ctx context.Context, p StartParams, progress Progress) (Session, error) {
	b.mu.Lock()
	steps := b.steps
	b.mu.Unlock()
	for _, step := range steps {
		progress.Report(step.Message, step.Percent)
		wait, err := time.ParseDuration(step.Wait)
		if err != nil {
			return Session{}, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	if err := b.called(ctx, "start", p); err != nil {
		return Session{}, err
	}
	return Session{Name: "sketch-a", Folder: p.Folder, State: SessionConnected, Owner: true}, nil
}

func (b *fakeBackend) Stop(ctx context.Context, p SessionParams) error {
	return b.called(ctx, "stop", p)
}

func (b *fakeBackend) Sessions(ctx context.Context) ([]Session, error) {
	return nil, b.called(ctx, "sessions", nil)
}

func (b *fakeBackend) Ports(ctx context.Context, p SessionParams) (PortsResult, error) {
	b.mu.Lock()
	ports := slices.SortedFunc(maps.Values(b.ports["sketch-a"]), func(a, b Port) int { return a.Number - b.Number })
	b.mu.Unlock()
	return PortsResult{Session: "sketch-a", Ports: ports}, b.called(ctx, "ports", p)
}

func (b *fakeBackend) Port(ctx context.Context, p PortParams) (Port, error) {
	if err := b.called(ctx, "port", p); err != nil {
		return Port{}, err
	}
	return b.port(p)
}

func (b *fakeBackend) Forward(ctx context.Context, p ForwardParams) (Port, error) {
	if err := b.called(ctx, "forward", p); err != nil {
		return Port{}, err
	}
	return Port{Number: p.Port, HostPort: p.HostPort, Status: PortForwarded, Action: ActionNotify}, nil
}

func (b *fakeBackend) Unforward(ctx context.Context, p PortParams) error {
	return b.called(ctx, "unforward", p)
}

func (b *fakeBackend) Status(ctx context.Context) (Status, error) {
	return Status{Version: "test"}, b.called(ctx, "status", nil)
}

func (b *fakeBackend) Doctor(ctx context.Context) (DoctorResult, error) {
	return DoctorResult{OK: true}, b.called(ctx, "doctor", nil)
}

func (b *fakeBackend) SSH(ctx context.Context, p SessionParams) (SSHResult, error) {
	return SSHResult{Host: "sketch-a", Command: "ssh sketch-a", Workspace: "/workspaces/shop"}, b.called(ctx, "ssh", p)
}

func (b *fakeBackend) Logs(ctx context.Context, p LogsParams) (LogsResult, error) {
	return LogsResult{Session: "sketch-a", Lines: []string{"hello"}}, b.called(ctx, "logs", p)
}

func (b *fakeBackend) Prune(ctx context.Context, p PruneParams) (PruneResult, error) {
	return PruneResult{}, b.called(ctx, "prune", p)
}

func (b *fakeBackend) Diff(ctx context.Context, p DiffParams) (DiffResult, error) {
	return played[DiffResult](ctx, b, "sketch.diff", p)
}

func (b *fakeBackend) File(ctx context.Context, p FileParams) (FileResult, error) {
	return played[FileResult](ctx, b, "sketch.file", p)
}

func (b *fakeBackend) Comment(ctx context.Context, p CommentParams) (CommentsResult, error) {
	return played[CommentsResult](ctx, b, "sketch.comment", p)
}

func (b *fakeBackend) Merge(ctx context.Context, p MergeParams) (MergeResult, error) {
	return played[MergeResult](ctx, b, "sketch.merge", p)
}

func (b *fakeBackend) OpenRemote(ctx context.Context, p OpenRemoteParams) (OpenRemoteResult, error) {
	return played[OpenRemoteResult](ctx, b, "sketch.openRemote", p)
}

func (b *fakeBackend) SSHConfig(ctx context.Context, p SSHConfigParams) (SSHConfigResult, error) {
	return played[SSHConfigResult](ctx, b, "sketch.sshConfig", p)
}

func (b *fakeBackend) Prompt(ctx context.Context, p PromptParams) (PromptResult, error) {
	return played[PromptResult](ctx, b, "sketch.prompt", p)
}

func (b *fakeBackend) Cancel(ctx context.Context, p CancelParams) error {
	return b.called(ctx, "cancel", p)
}

func (b *fakeBackend) Answer(ctx context.Context, p AnswerParams) error {
	return b.called(ctx, "answer", p)
}

func (b *fakeBackend) Conversation(ctx context.Context, p ConversationParams) (ConversationResult, error) {
	return played[ConversationResult](ctx, b, "sketch.conversation", p)
}

func (b *fakeBackend) Models(ctx context.Context) (ModelsResult, error) {
	return played[ModelsResult](ctx, b, "sketch.models", nil)
}

func (b *fakeBackend) SetKey(ctx context.Context, p SetKeyParams) error {
	return b.called(ctx, "setKey", p)
}

// played answers a command with its example of the reference.
func played[R any](ctx context.Context, b *fakeBackend, command string, params any) (R, error) {
	result, _ := examples()[command].result.(R)
	return result, b.called(ctx, strings.TrimPrefix(command, "sketch."), params)
}

func (b *fakeBackend) Close(ctx context.Context) error { return b.called(ctx, "close", nil) }

// openBrowser stands for the host's browser.
func (b *fakeBackend) openBrowser(ctx context.Context, url string) error {
	return b.called(ctx, "browser", url)
}

// direct does a line of a backend section.
func (b *fakeBackend) direct(s *Server, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	name, value, _ := strings.Cut(rest, " ")
	switch verb {
	case "ports": // ports sketch-a owner [...]
		role, list, _ := strings.Cut(value, " ")
		var ports []Port
		if err := json.Unmarshal([]byte(list), &ports); err != nil {
			return err
		}
		b.setPorts(name, ports)
		s.PortsChanged(name, role == "owner", ports)
	case "session": // session {...}
		var session Session
		if err := json.Unmarshal([]byte(rest), &session); err != nil {
			return err
		}
		s.SessionChanged(session)
	case "agent": // agent {...}
		var status AgentStatus
		if err := json.Unmarshal([]byte(rest), &status); err != nil {
			return err
		}
		s.AgentChanged(status)
	case "said": // said sketch-a {...}
		var message Message
		if err := json.Unmarshal([]byte(value), &message); err != nil {
			return err
		}
		s.MessageChanged(name, message)
	case "message": // message warning text
		levels := map[string]Level{"error": LevelError, "warning": LevelWarning, "info": LevelInfo, "log": LevelLog}
		s.Message(levels[name], value)
	case "fail": // fail forward {"Kind":"portInUse","Message":"..."}
		failure := new(Error)
		if err := json.Unmarshal([]byte(value), failure); err != nil {
			return err
		}
		b.play(func() { b.failures[name] = failure })
	case "during": // during stop session {...}
		verb, object, _ := strings.Cut(value, " ")
		var session Session
		if err := json.Unmarshal([]byte(object), &session); err != nil || verb != "session" {
			return fmt.Errorf("during %s: %w", value, err)
		}
		b.play(func() { b.during[name] = append(b.during[name], func() { s.SessionChanged(session) }) })
	case "block": // block start
		b.play(func() { b.blocked[name] = true })
	case "panic": // panic forward
		b.play(func() { b.panics[name] = true })
	case "steps": // steps [{"message":"...","percent":10,"wait":"1s"}]
		var steps []fakeStep
		if err := json.Unmarshal([]byte(rest), &steps); err != nil {
			return err
		}
		b.play(func() { b.steps = steps })
	case "wait":
		d, err := time.ParseDuration(name)
		time.Sleep(d) // of the synctest bubble
		return err
	default:
		return fmt.Errorf("unknown directive %q", verb)
	}
	return nil
}

func (b *fakeBackend) play(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}
