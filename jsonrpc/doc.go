// Package jsonrpc is the editor's side of sketch-ide: a JSON-RPC 2.0 server in the framing and the lifecycle of the
// Language Server Protocol (3.17), spoken over stdin and stdout.
//
// It owns the connection to one editor window: framing and its limits, the lifecycle, the commands that an editor can
// execute, and everything that the editor is told: toasts, progress, log lines, and the full state of sessions and
// ports. The types that cross the wire are in wire.go; the table of methods and commands in methods.go is the source of
// docs/protocol.md and of the TypeScript mirror in editors/vscode/src/protocol.ts.
//
// It never talks to a container engine, to SSH or to git: all of that is behind [Backend]. It keeps no state of
// sessions beyond what it last told the editor, writes nothing to stdout but frames, and ends no process.
//
// cmd/sketch-ide makes a [Server] and calls [Server.Serve] once; the session layer calls [Server.SessionChanged],
// [Server.PortsChanged] and [Server.Message], none of which ever blocks. A panic of the backend is contained in one place,
// [Server.contain], and told as an internal error.
//
// Goroutines, all of which Serve starts and waits for:
//
//   - the reader (of go.lsp.dev/jsonrpc2): decodes frames and handles notifications in order
//   - one per running request, at most [maxInFlight]
//   - one per progress token that the editor is asked for, until it has answered and the start has ended, at most [maxInFlight]
//   - the writer: the only one that writes to the editor
//   - the courier: takes events from the outbox and sends them
//   - the toaster: batches port changes into toasts
//   - one per unanswered toast, at most [maxPendingToasts]; one per browser that onAutoForward opens
//   - the watcher of the editor's process, when the editor named it
package jsonrpc
