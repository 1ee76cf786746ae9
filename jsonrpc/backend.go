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
	// that has no settings to send never causes a call. A repository's files may have a part in them unless usersOwn.
	Configure(settings json.RawMessage, usersOwn bool) error

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

	// Diff tells what a session has changed.
	Diff(ctx context.Context, p DiffParams) (DiffResult, error)
	// File returns one version of a file.
	File(ctx context.Context, p FileParams) (FileResult, error)
	// Comment changes, lists or sends the collected comments.
	Comment(ctx context.Context, p CommentParams) (CommentsResult, error)
	// Merge takes a session's work over on the host, or says what that would do.
	Merge(ctx context.Context, p MergeParams) (MergeResult, error)
	// OpenRemote says how to open a session's folder over SSH; showing it is the server's work.
	OpenRemote(ctx context.Context, p OpenRemoteParams) (OpenRemoteResult, error)
	// SSHConfig looks at the user's SSH configuration, or changes the one line in it.
	SSHConfig(ctx context.Context, p SSHConfigParams) (SSHConfigResult, error)

	// Prompt hands a message to the agent, and returns when it was taken.
	Prompt(ctx context.Context, p PromptParams) (PromptResult, error)
	// Cancel ends the agent's turn or one of its tool calls.
	Cancel(ctx context.Context, p CancelParams) error
	// Answer answers a question of the agent.
	Answer(ctx context.Context, p AnswerParams) error
	// Conversation returns the conversation with the agent.
	Conversation(ctx context.Context, p ConversationParams) (ConversationResult, error)
	// Models lists the models that the settings name.
	Models(ctx context.Context) (ModelsResult, error)
	// SetKey takes a key that the editor keeps.
	SetKey(ctx context.Context, p SetKeyParams) error

	// Close detaches: the editor is gone, sessions go on. Serve calls it once, at its end, with a deadline.
	Close(ctx context.Context) error
}

// Progress is where a long request says how far it is. It is safe for concurrent use and never blocks; reports that
// come faster than an editor can show are thinned out.
type Progress interface {
	// Report says what is being done now, one line; percent is 0 to 100, or -1 when unknown.
	Report(message string, percent int)
}
