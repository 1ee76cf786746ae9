package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"go.lsp.dev/protocol"
)

// execution is a command with its arguments.
type execution struct {
	command   command
	arguments json.RawMessage
	token     json.RawMessage // workDoneToken of the request, if it brought one
}

// decodeExecution decodes the params of workspace/executeCommand.
func (s *Server) decodeExecution(params json.RawMessage) (execution, error) {
	var name string
	if err := json.Unmarshal(member(params, "command"), &name); err != nil {
		return execution{}, argumentError("workspace/executeCommand needs a command")
	}
	c, ok := s.commands[name]
	if !ok {
		return execution{}, argumentError("unknown command %q", clip(name, 80))
	}
	return execution{command: c, arguments: member(params, "arguments"), token: member(params, memberWorkDoneToken)}, nil
}

// start does the command sketch.start.
func (s *Server) start(ctx context.Context, p StartParams, progress Progress) (session Session, err error) {
	folder, err := s.folder(p.Folder)
	if err != nil {
		return Session{}, err
	}
	p.Folder = folder
	ended := s.news.starting(folder)
	err = errPanicked
	defer func() { ended(session, err) }()
	session, err = s.cfg.Backend.Start(ctx, p, progress)
	return session, err
}

// stop does the command sketch.stop.
func (s *Server) stop(ctx context.Context, p SessionParams, _ Progress) (nothing, error) {
	defer s.news.stopping(p.Session)()
	return nothing{}, s.cfg.Backend.Stop(ctx, p)
}

// execute runs a command, with progress where it has some.
func (s *Server) execute(ctx context.Context, call execution) (result any, err error) {
	if !call.command.progress {
		return call.command.run(s, ctx, call.arguments, nil)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	progress := newProgress(s.outbox, "Starting sketch-ide")
	ended := s.attachProgress(progress, call.token, cancel)
	err = errPanicked
	defer func() { ended(err) }()
	result, err = call.command.run(s, ctx, call.arguments, progress)
	err = cancelledBy(ctx, err)
	return result, err
}

// errPanicked is how a command ended that did not return.
var errPanicked = errors.New("panicked")

// cancelledBy turns the error of what was cancelled into the cancellation.
func cancelledBy(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return &Error{Kind: KindCancelled, Message: "cancelled", Err: errors.Join(context.Canceled, err)}
	}
	return err
}

// attachProgress shows progress under the token of the request, else under one of ours if the editor can. The returned
// function ends it.
func (s *Server) attachProgress(p *progress, token json.RawMessage, cancel context.CancelFunc) (ended func(error)) {
	key, given := decodeID(token)
	if !given {
		if !s.editor.Load().progress {
			return func(error) {}
		}
		key = s.tokens.next(p.prefix)
	}
	if !s.tokens.add(key, cancel) {
		return func(error) {}
	}
	p.token = encodeID(key)
	release := func() { s.tokens.remove(key) }
	if given {
		p.begin()
	} else {
		release = s.createProgress(p, release)
	}
	return func(err error) {
		release()
		// The token of a request is only good until its answer ("Client Initiated Progress"), so the end goes first.
		select {
		case <-p.end(p.endMessage(err)):
		case <-s.link.ctx.Done():
		}
	}
}

// createPatience is how long a start must last to have progress of ours: what fails or is there at once needs none.
const createPatience = 150 * time.Millisecond

// createProgress asks the editor for a token when the start has lasted for createPatience, and begins the progress with
// its answer. Once it was asked for, a token has a begin and an end, though the start may be over by then: a token
// without them stays in some editors for ever. The returned function says that the start is over.
func (s *Server) createProgress(p *progress, release func()) (over func()) {
	ended := make(chan struct{})
	// Ends with the start, if the editor has answered by then, or when it does, or with the connection. An editor that
	// never answers costs a token each time, and those are bounded.
	s.tasks.Go(func() {
		defer release()
		timer := time.NewTimer(createPatience)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ended:
			return
		case <-s.link.ctx.Done():
			return
		}
		_, err := s.link.conn.Call(s.link.ctx, protocol.MethodWindowWorkDoneProgressCreate, progressToken{Token: p.token}, nil)
		if err != nil {
			s.cfg.Log.Debug("create progress", "err", err)
			return
		}
		p.begin()
		select {
		case <-ended: // until then the editor can cancel by the token
		case <-s.link.ctx.Done():
		}
	})
	return func() { close(ended) }
}

func (p *progress) endMessage(err error) string {
	switch {
	case err == nil:
		return p.done
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "failed"
}
