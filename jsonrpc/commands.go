package jsonrpc

import (
	"context"
	"encoding/json"
	"reflect"
)

// command is one row of the table of what an editor can execute. The table is also the source of the documentation and
// of the TypeScript mirror.
type command struct {
	name       string
	doc        string       // one sentence for the reference
	params     reflect.Type // struct of the argument
	result     reflect.Type // what is answered; nothing{} is answered as null
	positional []string     // names of the argument's fields, in the order in which bare arguments fill them
	progress   bool         // reports work-done progress and can be cancelled by it
	run        func(s *Server, ctx context.Context, arguments json.RawMessage, progress Progress) (any, error)
}

// nothing is the parameter of a command that takes none, and the result of one that answers null.
type nothing struct{}

// commands is the table, in the order of the reference. What is in it is advertised and wired; nothing else is.
func commands() []command {
	started := row("sketch.start", "Start a session for a folder, attach to the one that it has, or resume it if it is stopped.",
		[]string{"folder", "rebuild"}, (*Server).start)
	started.progress = true
	return []command{
		started,
		row("sketch.stop", "End a session for good: remove its container with everything inside.", []string{"session"}, (*Server).stop),
		row("sketch.sessions", "List the sessions on this machine.", nil, (*Server).sessions),
		row("sketch.ports", "List the ports of a session.", []string{"session"}, plain(Backend.Ports)),
		row("sketch.openPort", "Open a forwarded port in the browser.", []string{"port", "session"}, (*Server).openPort),
		row("sketch.forward", "Forward a port, or move it to another host port.",
			[]string{"port", "hostPort", "session"}, plain(Backend.Forward)),
		row("sketch.unforward", "Stop forwarding a port.", []string{"port", "session"}, quiet(Backend.Unforward)),
		row("sketch.status", "Tell everything at a glance.", nil, bare(Backend.Status)),
		row("sketch.doctor", "Check what sketch-ide needs on this machine.", nil, bare(Backend.Doctor)),
		row("sketch.ssh", "Tell how to reach a session over SSH.", []string{"session"}, plain(Backend.SSH)),
		row("sketch.prune", "Remove what ended sessions left behind.", []string{"dryRun"}, plain(Backend.Prune)),
		row("sketch.logs", "Return the latest lines that a session's agent has written.", []string{"session", "lines"}, plain(Backend.Logs)),
	}
}

// runner is a command with typed ends.
type runner[P, R any] func(s *Server, ctx context.Context, params P, progress Progress) (R, error)

func row[P, R any](name, doc string, positional []string, run runner[P, R]) command {
	return command{
		name: name, doc: doc, positional: positional,
		params: reflect.TypeFor[P](), result: reflect.TypeFor[R](),
		run: func(s *Server, ctx context.Context, arguments json.RawMessage, progress Progress) (any, error) {
			var params P
			if err := decodeArguments(arguments, positional, &params); err != nil {
				return nil, err
			}
			result, err := run(s, ctx, params, progress)
			if _, null := any(result).(nothing); null || err != nil {
				return nil, err
			}
			return result, nil
		},
	}
}

// plain is a command that the backend does by itself.
func plain[P, R any](do func(Backend, context.Context, P) (R, error)) runner[P, R] {
	return func(s *Server, ctx context.Context, params P, _ Progress) (R, error) {
		return do(s.cfg.Backend, ctx, params)
	}
}

// bare is one without parameters.
func bare[R any](do func(Backend, context.Context) (R, error)) runner[nothing, R] {
	return func(s *Server, ctx context.Context, _ nothing, _ Progress) (R, error) {
		return do(s.cfg.Backend, ctx)
	}
}

// quiet is one that answers null.
func quiet[P any](do func(Backend, context.Context, P) error) runner[P, nothing] {
	return func(s *Server, ctx context.Context, params P, _ Progress) (nothing, error) {
		return nothing{}, do(s.cfg.Backend, ctx, params)
	}
}

func (s *Server) sessions(ctx context.Context, _ nothing, _ Progress) (SessionsResult, error) {
	sessions, err := s.cfg.Backend.Sessions(ctx)
	return SessionsResult{Sessions: sessions}, err
}
