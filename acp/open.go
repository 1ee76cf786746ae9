package acp

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"go.lsp.dev/jsonrpc2"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// maxReplay is how many messages of an old conversation are told again, the latest.
const maxReplay = 1000

// newSession makes a new session of the repository that the editor's folder belongs to. A conversation belongs to one container, so it is a container of
// its own; the folder's session is taken where nobody has talked with its agent yet.
func (s *Server) newSession(ctx context.Context, params json.RawMessage) (any, error) {
	p, err := decodeSession(params)
	if err != nil {
		return nil, err
	}
	info, err := s.start(ctx, jsonrpc.StartParams{Folder: p.Cwd})
	if err != nil {
		return nil, err
	}
	conversation, err := s.cfg.Backend.Conversation(ctx, jsonrpc.ConversationParams{Session: info.Name, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(conversation.Messages) > 0 {
		if info, err = s.start(ctx, jsonrpc.StartParams{Folder: p.Cwd, New: true}); err != nil {
			return nil, err
		}
	}
	x := s.adopt(info)
	x.welcome(ctx, p)
	return sessionResponse{SessionID: x.name, ConfigOptions: x.config(ctx)}, nil
}

// loadSession opens a session again and tells its conversation.
func (s *Server) loadSession(ctx context.Context, params json.RawMessage) (any, error) {
	return s.reopen(ctx, params, true)
}

// resumeSession opens a session again without that.
func (s *Server) resumeSession(ctx context.Context, params json.RawMessage) (any, error) {
	return s.reopen(ctx, params, false)
}

func (s *Server) reopen(ctx context.Context, params json.RawMessage, replay bool) (any, error) {
	p, err := decodeSession(params)
	if err != nil {
		return nil, err
	}
	info, err := s.start(ctx, jsonrpc.StartParams{Folder: p.Cwd, Session: p.SessionID})
	if err != nil {
		return nil, err
	}
	conversation, err := s.cfg.Backend.Conversation(ctx, jsonrpc.ConversationParams{Session: info.Name, Limit: maxReplay})
	if err != nil {
		return nil, err
	}
	x := s.adopt(info)
	if err := x.replay(ctx, conversation, replay); err != nil {
		return nil, err
	}
	x.welcome(ctx, p)
	return sessionResponse{ConfigOptions: x.config(ctx)}, nil
}

// replay hands the conversation to the sender, and waits until all of it was sent. Where it is not wanted, only what comes from now on is told.
func (x *session) replay(ctx context.Context, conversation jsonrpc.ConversationResult, wanted bool) error {
	for _, m := range conversation.Messages {
		x.server.news.post("old message "+m.ID, x.name, replayed{m, wanted})
	}
	x.server.news.post(keyAgent, x.name, conversation.Status)
	sent := make(barrier)
	x.server.news.post(keyBarrier+fmt.Sprint(time.Now().UnixNano()), x.name, sent)
	select {
	case <-sent:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// start starts, resumes or finds a session; what it is doing goes to the log, since ACP knows no progress before there is a session.
func (s *Server) start(ctx context.Context, p jsonrpc.StartParams) (jsonrpc.Session, error) {
	return s.cfg.Backend.Start(ctx, p, logged{s})
}

type logged struct{ server *Server }

// Report implements [jsonrpc.Progress].
func (l logged) Report(message string, _ int) { l.server.cfg.Log.Info("progress", "step", message) }

// decodeSession reads what the requests that open a session have in common.
func decodeSession(params json.RawMessage) (sessionRequest, error) {
	var p sessionRequest
	if err := decode(params, &p); err != nil {
		return p, err
	}
	if !filepath.IsAbs(p.Cwd) {
		return p, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "cwd %.200q is not an absolute path", p.Cwd)
	}
	return p, nil
}

// listSessions lists the machine's sessions, or those of one folder.
func (s *Server) listSessions(ctx context.Context, params json.RawMessage) (any, error) {
	var p sessionRequest
	if err := decode(params, &p); err != nil {
		return nil, err
	}
	all, err := s.cfg.Backend.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	list := listResponse{Sessions: []sessionInfo{}}
	for _, info := range all {
		if inside, err := filepath.Rel(info.Folder, p.Cwd); p.Cwd != "" && (err != nil || !filepath.IsLocal(inside)) {
			continue
		}
		list.Sessions = append(list.Sessions, sessionInfo{
			SessionID: info.Name, Cwd: info.Folder, Title: info.Branch, UpdatedAt: info.Created.UTC().Format(time.RFC3339),
		})
	}
	return list, nil
}

// closeSession ends what runs and forgets that the session was open here; its container goes on, and session/load finds it again.
func (s *Server) closeSession(ctx context.Context, params json.RawMessage) (any, error) {
	var p sessionRequest
	if err := decode(params, &p); err != nil {
		return nil, err
	}
	x := s.opened(p.SessionID)
	if x == nil {
		return nil, notOpen(p.SessionID)
	}
	s.cancelTurn(ctx, x.name)
	s.mu.Lock()
	delete(s.sessions, x.name)
	s.mu.Unlock()
	x.update(func() { x.closed = true })
	x.takeBack("")
	return struct{}{}, nil
}
