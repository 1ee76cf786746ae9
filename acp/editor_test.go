package acp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

const patience = 60 * time.Second

// editor is a client of ACP, and the backend that stands behind the server.
type editor struct {
	*backend
	t       *testing.T
	conn    jsonrpc2.Conn
	server  *Server
	choose  string // what it answers to a request for permission: an option's id
	ignores bool   // it answers none of them before the test ends
	updates chan string
	ended   chan struct{} // closed when the test is over
}

func newEditor(t *testing.T) *editor {
	t.Helper()
	ours, theirs := memconn.Pair()
	e := &editor{t: t, backend: newBackend(), updates: make(chan string, 1000), ended: make(chan struct{})}
	e.server = NewServer(Config{Backend: e.backend, Version: "1"})
	e.backend.server = e.server
	ended := make(chan error, 1)
	go func() { ended <- e.server.Serve(context.Background(), ours) }() // ends with the connection; waited for below
	e.conn = jsonrpc2.NewConn(jsonrpc2.NewNDJSONStream(theirs), jsonrpc2.WithCodec(codec{}))
	e.conn.Go(context.Background(), e.handle)
	t.Cleanup(func() {
		close(e.ended)
		theirs.Close()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		<-e.conn.Done()
	})
	return e
}

func (e *editor) handle(ctx context.Context, req *jsonrpc2.Request) (any, error) {
	text := req.Method() + " " + string(req.Params())
	if req.Method() == "session/update" {
		var p struct {
			Update json.RawMessage `json:"update"`
		}
		if err := json.Unmarshal(req.Params(), &p); err != nil {
			return nil, err
		}
		text = string(p.Update)
	}
	e.updates <- strings.Clone(text)
	if req.Method() == "session/request_permission" && e.ignores {
		jsonrpc2.Async(ctx)
		<-e.ended
		return nil, context.Canceled
	}
	if req.Method() == "session/request_permission" {
		return json.RawMessage(fmt.Sprintf(`{"outcome":{"outcome":"selected","optionId":%q}}`, e.choose)), nil
	}
	return nil, nil
}

// call sends a request and returns its answer, or the error's code and message.
func (e *editor) call(method, params string) string {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var result json.RawMessage
	if _, err := e.conn.Call(ctx, method, jsonrpc2.RawMessage(params), &result); err != nil {
		return err.Error()
	}
	return string(result)
}

// next is the next update; ones that only list the commands are left out.
func (e *editor) next() string {
	e.t.Helper()
	for {
		select {
		case update := <-e.updates:
			if !strings.Contains(update, "available_commands_update") {
				return update
			}
		case <-time.After(patience):
			e.t.Fatal("no update")
		}
	}
}

func (e *editor) expect(want ...string) {
	e.t.Helper()
	for _, w := range want {
		if got := e.next(); !strings.Contains(got, w) {
			e.t.Errorf("update %s\nwant one with %s", got, w)
		}
	}
}

// expectInAnyOrder is for what goes out from more than one goroutine.
func (e *editor) expectInAnyOrder(want ...string) {
	e.t.Helper()
	told := ""
	for range want {
		told += e.next() + "\n"
	}
	for _, w := range want {
		if !strings.Contains(told, w) {
			e.t.Errorf("updates %s\nwant one with %s", told, w)
		}
	}
}

// openEditor is an editor that has a session.
func openEditor(t *testing.T) *editor {
	t.Helper()
	e := newEditor(t)
	e.call("initialize", `{"protocolVersion":1,"clientCapabilities":{"_meta":{"sketch":{}}}}`)
	if got := e.call("session/new", `{"cwd":"/home/ada/shop","mcpServers":[]}`); !strings.Contains(got, `"sessionId":"sketch-1"`) {
		t.Fatalf("session/new: %s", got)
	}
	return e
}

// thinks has the agent think without end when it is prompted; what it returns is closed once it does.
func (e *editor) thinks() <-chan struct{} {
	begun := make(chan struct{})
	e.play = func(b *backend, _ jsonrpc.PromptParams, turn int) {
		b.status(turn, jsonrpc.AgentThinking, "")
		close(begun)
	}
	return begun
}

func (e *editor) notify(method string, params any) {
	e.t.Helper()
	if err := e.conn.Notify(context.Background(), method, params); err != nil {
		e.t.Error(err)
	}
}

// What prompt returns where nothing fails.
const (
	endTurn       = `{"stopReason":"end_turn"}`
	cancelledTurn = `{"stopReason":"cancelled"}`
)

// prompt sends a message to the session's agent and returns what call does.
func (e *editor) prompt(text string) string {
	e.t.Helper()
	return e.call("session/prompt", fmt.Sprintf(`{"sessionId":"sketch-1","prompt":[{"type":"text","text":%q}]}`, text))
}

// backend is played by the test: play is what happens when it is prompted.
type backend struct {
	server *Server
	play   func(b *backend, p jsonrpc.PromptParams, turn int)
	before func() // called before a turn begins; nil: nothing

	mu       sync.Mutex
	calls    []string
	turn     int
	made     int
	messages []jsonrpc.Message
	answers  chan string

	cancelled chan struct{} // has something after each Cancel
}

func newBackend() *backend {
	return &backend{answers: make(chan string, 10), cancelled: make(chan struct{}, 100)}
}

func (b *backend) note(what string, params any) {
	data, err := json.Marshal(params)
	if err != nil {
		panic(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, what+" "+string(data))
}

func (b *backend) called(what string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, call := range b.calls {
		if strings.HasPrefix(call, what) {
			return true
		}
	}
	return false
}

func (b *backend) Start(_ context.Context, p jsonrpc.StartParams, progress jsonrpc.Progress) (jsonrpc.Session, error) {
	b.note("start", p)
	progress.Report("Creating container", -1)
	if p.Folder == "/" {
		return jsonrpc.Session{}, &jsonrpc.Error{Kind: jsonrpc.KindNotRepository, Message: "not a git repository", Hint: "Make one."}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.New || b.made == 0 {
		b.made++
	}
	return jsonrpc.Session{Name: fmt.Sprintf("sketch-%d", b.made), Folder: "/home/ada/shop", Workspace: "/workspaces/shop"}, nil
}

func (b *backend) Sessions(context.Context) ([]jsonrpc.Session, error) {
	return []jsonrpc.Session{{Name: "sketch-1", Folder: "/home/ada/shop", Branch: "sketch/fix"}, {Name: "sketch-9", Folder: "/home/ada/other"}}, nil
}

func (b *backend) Ports(context.Context, jsonrpc.SessionParams) (jsonrpc.PortsResult, error) {
	return jsonrpc.PortsResult{Ports: []jsonrpc.Port{{Number: 3000, URL: "http://localhost:3000", Process: "vite", Status: jsonrpc.PortForwarded}}}, nil
}

func (b *backend) SSH(context.Context, jsonrpc.SessionParams) (jsonrpc.SSHResult, error) {
	return jsonrpc.SSHResult{Command: "ssh sketch-1"}, nil
}

func (b *backend) Prompt(_ context.Context, p jsonrpc.PromptParams) (jsonrpc.PromptResult, error) {
	b.note("prompt", p)
	if b.before != nil {
		b.before()
	}
	b.mu.Lock()
	b.turn++
	turn := b.turn
	b.mu.Unlock()
	// Ends when the play is over; tests that play wait for the answer to the prompt.
	go b.play(b, p, turn)
	return jsonrpc.PromptResult{Session: p.Session, ID: "u", Turn: turn}, nil
}

func (b *backend) Cancel(_ context.Context, p jsonrpc.CancelParams) error {
	b.note("cancel", p)
	defer func() { b.cancelled <- struct{}{} }()
	b.mu.Lock()
	turn := b.turn
	b.mu.Unlock()
	b.status(turn, jsonrpc.AgentIdle, jsonrpc.TurnCancelled)
	return nil
}

func (b *backend) Answer(_ context.Context, p jsonrpc.AnswerParams) error {
	b.note("answer", p)
	b.answers <- p.Answer
	return nil
}

func (b *backend) Conversation(context.Context, jsonrpc.ConversationParams) (jsonrpc.ConversationResult, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return jsonrpc.ConversationResult{Messages: b.messages, Status: jsonrpc.AgentStatus{State: jsonrpc.AgentIdle}}, nil
}

func (b *backend) Models(context.Context) (jsonrpc.ModelsResult, error) {
	return jsonrpc.ModelsResult{Default: "opus", Models: []jsonrpc.ModelInfo{{Name: "opus"}, {Name: "local"}}}, nil
}

func (b *backend) status(turn int, state jsonrpc.AgentState, outcome jsonrpc.TurnOutcome) {
	b.server.AgentChanged(jsonrpc.AgentStatus{Session: "sketch-1", Turn: turn, State: state, Outcome: outcome})
}

func (b *backend) say(m jsonrpc.Message) { b.server.MessageChanged("sketch-1", m) }

// lines is a connection that sends what a test gives it, and keeps what comes back.
type lines struct {
	io.Reader
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}
func (l *lines) Close() error { return nil }
