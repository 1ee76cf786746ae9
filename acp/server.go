package acp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"go.lsp.dev/jsonrpc2"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// Backend does what the editor asks for; it is the part of [jsonrpc.Backend] that ACP has words for. Its methods are called from several goroutines
// at once; each returns soon after its ctx ends.
type Backend interface {
	Start(ctx context.Context, p jsonrpc.StartParams, progress jsonrpc.Progress) (jsonrpc.Session, error)
	Sessions(ctx context.Context) ([]jsonrpc.Session, error)
	Ports(ctx context.Context, p jsonrpc.SessionParams) (jsonrpc.PortsResult, error)
	SSH(ctx context.Context, p jsonrpc.SessionParams) (jsonrpc.SSHResult, error)
	Prompt(ctx context.Context, p jsonrpc.PromptParams) (jsonrpc.PromptResult, error)
	Cancel(ctx context.Context, p jsonrpc.CancelParams) error
	Answer(ctx context.Context, p jsonrpc.AnswerParams) error
	Conversation(ctx context.Context, p jsonrpc.ConversationParams) (jsonrpc.ConversationResult, error)
	Models(ctx context.Context) (jsonrpc.ModelsResult, error)
}

// Config configures a [Server].
type Config struct {
	Backend Backend      // required
	Log     *slog.Logger // nil discards
	Version string       // told to the editor
}

// Server serves one editor. What the backend tells it may be told from any goroutine, also before Serve, and never blocks.
type Server struct {
	cfg   Config
	news  *news
	conn  jsonrpc2.Conn   // set by Serve before its goroutines start
	ctx   context.Context // of Serve
	tasks sync.WaitGroup  // questions that wait for their answer, and the sender

	initialized atomic.Bool
	extended    atomic.Bool   // the editor takes _sketch/… notifications; not every one that does not ignores them quietly
	arrived     atomic.Uint64 // messages so far: which came first

	mu       sync.Mutex
	sessions map[string]*session                // guarded by mu: opened by this editor, by name
	calls    map[string]context.CancelCauseFunc // guarded by mu: requests that run, by id
}

// NewServer returns a server; it starts nothing.
func NewServer(cfg Config) *Server {
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	return &Server{cfg: cfg, news: newNews(), sessions: map[string]*session{}, calls: map[string]context.CancelCauseFunc{}}
}

// Serve speaks with the editor on rw until it is gone or ctx ends, and closes rw. Sessions go on. It must be called once.
func (s *Server) Serve(ctx context.Context, rw io.ReadWriteCloser) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ctx = ctx
	s.conn = jsonrpc2.NewConn(jsonrpc2.NewNDJSONStream(newLimitedLines(rw)), jsonrpc2.WithCodec(codec{}))
	// Ends with ctx; waited for below.
	s.tasks.Go(func() { s.send(ctx) })
	s.conn.Go(ctx, s.handle)
	select {
	case <-s.conn.Done():
	case <-ctx.Done():
	}
	cancel()
	err := rw.Close()
	<-s.conn.Done()
	s.tasks.Wait()
	return errors.Join(err, ended(s.conn.Err()))
}

// ended is why the connection broke, nil where the editor has simply gone.
func ended(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "file already closed") {
		return nil
	}
	return err
}

// handle is where every message arrives, in order, on the reader's goroutine. A notification never yields an error: jsonrpc2 would end the connection.
func (s *Server) handle(ctx context.Context, req *jsonrpc2.Request) (result any, err error) {
	method := strings.Clone(req.Method())
	defer func() {
		if reason := recover(); reason != nil {
			s.cfg.Log.Error("panic", "in", method, "reason", reason, "stack", string(debug.Stack()))
			result, err = nil, jsonrpc2.Errorf(jsonrpc2.InternalError, "internal error in %.80s", method)
		}
	}()
	if !req.IsCall() {
		s.notified(method, json.RawMessage(req.Params()))
		return nil, nil
	}
	if err := s.admit(method); err != nil {
		return nil, err
	}
	if quick, ok := map[string]func(json.RawMessage) (any, error){
		"initialize": s.initialize, "authenticate": func(json.RawMessage) (any, error) { return struct{}{}, nil },
	}[method]; ok {
		return quick(json.RawMessage(req.Params()))
	}
	at := s.arrived.Add(1)
	call, ok := map[string]func(context.Context, json.RawMessage) (any, error){
		"session/new": s.newSession, "session/load": s.loadSession, "session/resume": s.resumeSession, "session/list": s.listSessions,
		"session/close": s.closeSession, "session/set_config_option": s.setConfig,
		"session/prompt": func(ctx context.Context, params json.RawMessage) (any, error) { return s.prompt(ctx, params, at) },
	}[method]
	if !ok {
		return nil, jsonrpc2.Errorf(jsonrpc2.MethodNotFound, "method %.80q not found", method)
	}
	running, cancel := context.WithCancelCause(jsonrpc2.DetachContext(ctx))
	id := fmt.Sprint(req.ID())
	s.register(id, cancel)
	defer s.register(id, nil)
	jsonrpc2.Async(ctx) // from here on the request owns its memory, and the reader goes on
	result, err = call(running, json.RawMessage(req.Params()))
	return result, wireError(running, err)
}

// admit refuses what may not come before initialize.
func (s *Server) admit(method string) error {
	if method != "initialize" && !s.initialized.Load() {
		return jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "initialize comes first")
	}
	return nil
}

// register keeps the way to cancel a request while it runs.
func (s *Server) register(id string, cancel context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel == nil {
		s.calls[id](nil)
		delete(s.calls, id)
		return
	}
	s.calls[id] = cancel
}

// notified does a notification; unknown ones are ignored.
func (s *Server) notified(method string, params json.RawMessage) {
	switch method {
	case "session/cancel":
		var p sessionRequest
		if decode(params, &p) == nil {
			if x := s.opened(p.SessionID); x != nil {
				x.update(func() { x.stopped = s.arrived.Add(1) })
			}
			// Ends with the backend's answer, at the latest with ctx; Serve waits.
			s.tasks.Go(func() { s.cancelTurn(s.ctx, p.SessionID) })
		}
	case "$/cancel_request":
		var p struct {
			RequestID json.RawMessage `json:"requestId"`
		}
		if decode(params, &p) != nil {
			return
		}
		s.mu.Lock()
		cancel := s.calls[strings.Trim(string(p.RequestID), `"`)]
		s.mu.Unlock()
		if cancel != nil {
			cancel(errCancelled)
		}
	}
}

func (s *Server) cancelTurn(ctx context.Context, name string) {
	if err := s.cfg.Backend.Cancel(ctx, jsonrpc.CancelParams{Session: name}); err != nil {
		s.cfg.Log.Warn("cancel", "session", name, "err", err)
	}
}

func (s *Server) initialize(params json.RawMessage) (any, error) {
	var p initializeRequest
	if err := decode(params, &p); err != nil {
		return nil, err
	}
	name := ""
	if p.ClientInfo != nil {
		name = p.ClientInfo.Name + " " + p.ClientInfo.Version
	}
	known := p.ClientCapabilities.Meta.Sketch
	s.extended.Store(len(known) > 0 && string(known) != "null")
	s.initialized.Store(true)
	s.cfg.Log.Info("initialize", "editor", name, "version", p.ProtocolVersion)
	return initializeResponse{
		ProtocolVersion: protocolVersion, // the one that we speak: a client that does not, leaves
		AgentCapabilities: agentCapabilities{
			LoadSession: true, PromptCapabilities: promptCapabilities{Image: true, EmbeddedContext: true},
			SessionCapabilities: map[string]struct{}{"list": {}, "resume": {}, "close": {}},
		},
		AgentInfo:   implementation{Name: "sketch-ide", Title: "Sketch", Version: s.cfg.Version},
		AuthMethods: []struct{}{},
	}, nil
}

// extension sends a notification of ours, where the editor takes those.
func (s *Server) extension(ctx context.Context, method string, params any) {
	if !s.extended.Load() {
		return
	}
	if err := s.conn.Notify(ctx, method, params); err != nil {
		s.cfg.Log.Debug("extension", "method", method, "err", err)
	}
}

// update sends one session/update.
func (s *Server) update(ctx context.Context, name string, update any) {
	if err := s.conn.Notify(ctx, "session/update", sessionNotification{SessionID: name, Update: update}); err != nil {
		s.cfg.Log.Debug("session/update", "session", name, "err", err)
	}
}
