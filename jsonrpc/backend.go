package jsonrpc

import (
	"context"
	"encoding/json"
)

// Backend does what the editor asks for. Its methods are called from several goroutines at once; each returns soon
// after its ctx ends. Errors are for people: an [*Error] where the knowledge is there.
type Backend interface {
	// Configure takes the settings: the initializationOptions, and later each didChangeConfiguration (its section
	// "sketch"). It is called in order, from the reader, and must not block; the slice is the backend's to keep. An editor
	// that has no settings to send never causes a call.
	Configure(settings json.RawMessage) error

	// Start starts a session for a folder, or attaches to the one that it has. Cancelling ctx gives up and cleans up.
	// The folder is an absolute path when the editor named any, else empty.
	Start(ctx context.Context, p StartParams, progress Progress) (Session, error)
	// Stop ends a session and removes its container.
	Stop(ctx context.Context, p SessionParams) error
	// Sessions lists the sessions on this machine, newest first.
	Sessions(ctx context.Context) ([]Session, error)

	// Ports returns the ports of a session.
	Ports(ctx context.Context, p SessionParams) (PortsResult, error)
	// Port returns one port as it stands now; an [*Error] of [KindNoPort] when it is not open.
	Port(ctx context.Context, p PortParams) (Port, error)
	// Forward forwards a port on request, whatever the policy says.
	Forward(ctx context.Context, p ForwardParams) (Port, error)
	// Unforward stops forwarding a port; it stays stopped until Forward.
	Unforward(ctx context.Context, p PortParams) error

	Status(ctx context.Context) (Status, error)
	Doctor(ctx context.Context) (DoctorResult, error)
	SSH(ctx context.Context, p SessionParams) (SSHResult, error)
	Logs(ctx context.Context, p LogsParams) (LogsResult, error)
	Prune(ctx context.Context, p PruneParams) (PruneResult, error)

	// Close detaches: the editor is gone, sessions go on. Serve calls it once, at its end, with a deadline.
	Close(ctx context.Context) error
}

// Progress is where a long request says how far it is. It is safe for concurrent use and never blocks; reports that
// come faster than an editor can show are thinned out.
type Progress interface {
	// Report says what is being done now, one line; percent is 0 to 100, or -1 when unknown.
	Report(message string, percent int)
}
