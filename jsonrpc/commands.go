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
		row("sketch.diff", "Tell what a session has changed since its base, by files and hunks.", []string{"session", "path"}, plain(Backend.Diff)),
		row("sketch.file", "Return a file of a session as it was at the base, is on the branch, or is inside now.", []string{"path", "version", "session"}, plain(Backend.File)),
		row("sketch.comment", "Collect remarks on lines of a session's work, and send them to the agent as one message.", nil, plain(Backend.Comment)),
		row("sketch.merge", "Take a session's branch over into what is checked out on the host: merge, cherry-pick, squash or reset; nothing is done where that would conflict.",
			[]string{"how", "session"}, plain(Backend.Merge)),
		row("sketch.openRemote", "Tell how to open a session's folder in a window of its own over SSH, and open it when asked to.", []string{"session"}, (*Server).openRemote),
		row("sketch.sshConfig", "Look whether `ssh sketch-…` works everywhere, install the line in the user's SSH configuration that makes it so, or remove it.",
			[]string{"action"}, plain(Backend.SSHConfig)),
		row("sketch.prompt", "Send a message to the agent; it returns when the message was taken.", []string{"text", "session"}, plain(Backend.Prompt)),
		row("sketch.cancel", "End what the agent does: the turn, or one tool call.", []string{"session", "tool"}, quiet(Backend.Cancel)),
		row("sketch.answer", "Answer a question of the agent.", []string{"id", "answer", "session"}, quiet(Backend.Answer)),
		row("sketch.conversation", "Return the conversation with the agent, and how it stands.", []string{"session"}, plain(Backend.Conversation)),
		row("sketch.models", "List the models that the settings name.", nil, bare(Backend.Models)),
		row("sketch.setKey", "Hand over a key for a model that the editor keeps; it is held in memory and never written.", nil, quiet(Backend.SetKey)),
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
