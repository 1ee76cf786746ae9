package jsonrpc

import "time"

// This file holds what crosses the wire between an editor and sketch-ide, and nothing else. The doc comments are copied
// into docs/protocol.md and into the TypeScript mirror. A field tagged omitzero is optional there.

// ProtocolVersion is the version of the `experimental.sketch` extension that both sides declare.
const ProtocolVersion = 1

// SessionState is where a session stands.
type SessionState string

// The states of a session.
const (
	SessionStarting     SessionState = "starting"     // the container or the connection is being made
	SessionConnected    SessionState = "connected"    // everything works
	SessionReconnecting SessionState = "reconnecting" // the connection was lost and is being redialled
	SessionLost         SessionState = "lost"         // redialling has not helped for long; it goes on, slowly
	SessionStopped      SessionState = "stopped"      // the container does not run: it ended by itself, was killed, or by `sketch-ide stop`; its files are kept and sketch.start resumes it
	SessionGone         SessionState = "gone"         // the container was removed, by sketch.stop or from outside: the session is over
)

// Session is one container with a repository in it, as the editor sees it. It is always the full state.
type Session struct {
	Name      string       `json:"name"`               // unique on this machine, e.g. "sketch-brave-otter"
	Folder    string       `json:"folder"`             // absolute path of the repository on the host
	State     SessionState `json:"state"`              // where it stands
	Attempt   int          `json:"attempt,omitzero"`   // number of the current redial, while reconnecting
	Container string       `json:"container,omitzero"` // container ID
	Image     string       `json:"image,omitzero"`     // image reference
	Workspace string       `json:"workspace,omitzero"` // absolute path of the repository inside
	Branch    string       `json:"branch,omitzero"`    // branch that the work is on, e.g. "sketch/fix-login"
	Commit    string       `json:"commit,omitzero"`    // commit of the host that the session started from
	SSH       string       `json:"ssh,omitzero"`       // arguments for ssh(1) that enter the session, quoted for a shell, e.g. "-F /path/ssh_config sketch-brave-otter"
	Owner     bool         `json:"owner"`              // this window owns the session: it binds the ports and shows the toasts
	Created   time.Time    `json:"created,omitzero"`   // when the container was created
	Error     *ErrorData   `json:"error,omitzero"`     // why it is not connected, when there is something to say
	Remote    string       `json:"remote,omitzero"`    // a sentence, while an editor's window is attached by Remote-SSH: whose it is, and who forwards the ports
	ExitCode  *int         `json:"exitCode,omitzero"`  // how its container ended, when it is stopped and that is known; 137: killed
}

// PortStatus is what has become of a port that is open inside.
type PortStatus string

// The statuses of a port.
const (
	PortForwarded PortStatus = "forwarded" // reachable on localhost at hostPort
	PortListed    PortStatus = "listed"    // open inside, not forwarded by policy; reason says why
	PortStopped   PortStatus = "stopped"   // open inside, forwarding was stopped on request
	PortFailed    PortStatus = "failed"    // could not be forwarded; reason says why
	PortClosed    PortStatus = "closed"    // just closed inside; the listener is kept for a moment in case it returns
)

// PortAction is what should happen when a port is newly forwarded (devcontainer.json's onAutoForward).
type PortAction string

// The actions, with the names of the devcontainer specification.
const (
	ActionNotify          PortAction = "notify"          // a toast
	ActionOpenBrowser     PortAction = "openBrowser"     // open a browser each time, but not too often
	ActionOpenBrowserOnce PortAction = "openBrowserOnce" // open a browser the first time in a session, but not too often
	ActionOpenPreview     PortAction = "openPreview"     // open the editor's own preview, where it has one, but not too often
	ActionSilent          PortAction = "silent"          // forward without a word
	ActionIgnore          PortAction = "ignore"          // do not forward
)

// Port is one port of a session that is open inside. It is always the full state.
type Port struct {
	Number     int        `json:"number"`              // port inside the container
	HostPort   int        `json:"hostPort,omitzero"`   // port on localhost, when forwarded
	URL        string     `json:"url,omitzero"`        // where a browser finds it, when forwarded
	Status     PortStatus `json:"status"`              // what has become of it
	Reason     string     `json:"reason,omitzero"`     // why the host port differs or forwarding failed, e.g. "3000 is in use"
	Label      string     `json:"label,omitzero"`      // the user's name for it (portsAttributes)
	Process    string     `json:"process,omitzero"`    // short name of the process that listens, when known
	PID        int        `json:"pid,omitzero"`        // its process ID inside, when known
	Protocol   string     `json:"protocol,omitzero"`   // "http" or "https", when configured
	Action     PortAction `json:"action"`              // what should happen when it is newly forwarded
	Addresses  []string   `json:"addresses"`           // addresses that it listens on inside
	Generation uint64     `json:"generation,omitzero"` // grows each time the port newly opens, not on a restart; absent while nothing has listened on it yet
}

// StartParams asks for a session.
type StartParams struct {
	Folder  string `json:"folder,omitzero"`  // path or file URI of a folder in the repository; default: the first workspace folder
	Session string `json:"session,omitzero"` // name of the session to attach to or resume; default: the folder's
	New     bool   `json:"new,omitzero"`     // make a session although the folder has one
	Rebuild bool   `json:"rebuild,omitzero"` // build the image again although its inputs did not change
}

// SessionParams names a session.
type SessionParams struct {
	Session string `json:"session,omitzero"` // default: the session of this window
}

// PortParams names a port of a session.
type PortParams struct {
	Session string `json:"session,omitzero"` // default: the session of this window
	Port    int    `json:"port"`             // port inside the container
}

// OpenPortParams names a port to open in the browser.
type OpenPortParams struct {
	Session string `json:"session,omitzero"` // default: the session of this window
	Port    int    `json:"port,omitzero"`    // port inside the container; default: the one that is forwarded, where that is one
}

// ForwardParams asks to forward a port, or to move it to another host port.
type ForwardParams struct {
	Session  string `json:"session,omitzero"`  // default: the session of this window
	Port     int    `json:"port"`              // port inside the container
	HostPort int    `json:"hostPort,omitzero"` // wanted port on localhost; default: the same number, else a free one
}

// LogsParams asks for the latest lines that a session's agent has written.
type LogsParams struct {
	Session string `json:"session,omitzero"` // default: the session of this window
	Lines   int    `json:"lines,omitzero"`   // at most so many; default: 200
}

// PruneParams asks to remove what earlier sessions left.
type PruneParams struct {
	DryRun     bool   `json:"dryRun,omitzero"`     // only say what would be removed
	Older      string `json:"older,omitzero"`      // only what was made at least so long ago, e.g. "7d" or "12h30m"
	All        bool   `json:"all,omitzero"`        // also sessions that run and that nobody is attached to
	KeepImages bool   `json:"keepImages,omitzero"` // leave the images, so that the next start of each repository stays quick
	Orphans    bool   `json:"orphans,omitzero"`    // also sessions of other state directories of this machine that are gone
	Branches   bool   `json:"branches,omitzero"`   // also the removed sessions' branches, where a branch outside of sketch/ has all of their commits
}

// SessionsResult lists the sessions on this machine.
type SessionsResult struct {
	Sessions []Session `json:"sessions"` // newest first
}

// PortsResult is the full state of a session's ports.
type PortsResult struct {
	Session string `json:"session"` // its name
	Ports   []Port `json:"ports"`   // sorted by number
}

// OpenPortResult says what was opened.
type OpenPortResult struct {
	URL  string `json:"url"`  // what was opened
	Port Port   `json:"port"` // the port as it stands
}

// SSHResult says how to reach a session over SSH.
type SSHResult struct {
	Host      string `json:"host"`            // alias, valid with the file config (`ssh -F <config> <host>`); without -F and in Remote-SSH it works once that file is included in ~/.ssh/config
	Command   string `json:"command"`         // complete command line, quoted for a shell
	Config    string `json:"config,omitzero"` // path of the ssh_config(5) file with that alias
	Workspace string `json:"workspace"`       // absolute path of the repository inside
}

// Status is everything at a glance.
type Status struct {
	Version  string    `json:"version"`         // version of sketch-ide
	Engine   string    `json:"engine,omitzero"` // the container engine, e.g. "Docker 28.5.2"
	Sessions []Session `json:"sessions"`        // the sessions on this machine, newest first
	Ports    []Port    `json:"ports"`           // the ports of this window's session
}

// DoctorCheck is one thing that was checked.
type DoctorCheck struct {
	Name   string `json:"name"`          // what was checked, e.g. "Docker engine"
	OK     bool   `json:"ok"`            // whether it works
	Detail string `json:"detail"`        // what was found
	Hint   string `json:"hint,omitzero"` // what to do, when it does not work
}

// DoctorResult says what works on this machine.
type DoctorResult struct {
	OK     bool          `json:"ok"`     // every check passed
	Checks []DoctorCheck `json:"checks"` // in the order in which they depend on each other
}

// LogsResult is the tail of what the agent inside has written.
type LogsResult struct {
	Session string   `json:"session"` // its name
	Lines   []string `json:"lines"`   // oldest first
}

// PruneResult says what was removed, or would be.
type PruneResult struct {
	Removed []string `json:"removed"` // "session", "image", "state", "probe" or "branch" and a name, e.g. "session sketch-calm-heron"
	Bytes   int64    `json:"bytes"`   // disk space that was freed, as far as the engine can tell
}

// PortsNotification carries the full state of a session's ports; it replaces what was sent before.
type PortsNotification struct {
	Session string `json:"session"` // name of the session
	Owner   bool   `json:"owner"`   // this window owns the session
	Ports   []Port `json:"ports"`   // sorted by number
}

// PortEventType is what happened to a port.
type PortEventType string

// The port events.
const (
	PortEventOpened  PortEventType = "opened"  // newly open inside; its status says what has become of it
	PortEventChanged PortEventType = "changed" // its status or host port changed
	PortEventClosed  PortEventType = "closed"  // no longer open inside
	PortEventPreview PortEventType = "preview" // onAutoForward asks for the editor's preview, now
)

// PortEventNotification tells that something happened to one port. Events may be dropped when an editor reads slowly;
// the full state in `$/sketch/ports` is what counts.
type PortEventNotification struct {
	Session string        `json:"session"` // name of the session
	Type    PortEventType `json:"type"`    // what happened
	Port    Port          `json:"port"`    // the port as it stands
}

// ErrorData goes with an error: in the `data` member of a JSON-RPC error, and in a session's `error`.
type ErrorData struct {
	Kind      Kind   `json:"kind"`             // stable name of what went wrong
	Message   string `json:"message,omitzero"` // what failed; absent in a JSON-RPC error, whose own message says it
	Hint      string `json:"hint,omitzero"`    // one thing to do about it, a sentence
	Retryable bool   `json:"retryable"`        // trying again, unchanged, may help
}

// SketchClient is what an editor declares as `capabilities.experimental.sketch` in its initialize request.
type SketchClient struct {
	Version      int            `json:"version"`               // 1
	Actions      []ClientAction `json:"actions,omitzero"`      // toast actions that the editor does by itself
	UserSettings bool           `json:"userSettings,omitzero"` // the settings that reach beyond the container, see Settings, are the user's alone: the editor takes none of them from a repository's files
}

// SketchServer is what the server declares as `capabilities.experimental.sketch` in its answer.
type SketchServer struct {
	Version int `json:"version"` // 1
}

// ClientAction is a toast action that the editor does by itself when the user chooses it.
type ClientAction string

// The actions that only an editor can do.
const (
	ClientPreview ClientAction = "preview" // show the URL in the editor's own browser
	ClientCopyURL ClientAction = "copyUrl" // put the URL on the clipboard
)

// ToastAction is the item of a `window/showMessageRequest` about ports. The members beside the title are sent to
// clients that declare `window.showMessage.messageActionItem.additionalPropertiesSupport` or `experimental.sketch`.
type ToastAction struct {
	Title   string `json:"title"`            // what the button says
	Action  string `json:"action,omitzero"`  // "open", "stop", or a ClientAction
	Session string `json:"session,omitzero"` // name of the session
	Port    int    `json:"port,omitzero"`    // port inside the container
	URL     string `json:"url,omitzero"`     // where a browser finds it
}

// NotificationStyle is how an editor wants to be told about ports.
type NotificationStyle string

// The notification styles.
const (
	NotifyActions NotificationStyle = "actions" // window/showMessageRequest, with buttons
	NotifyMessage NotificationStyle = "message" // window/showMessage
	NotifyNone    NotificationStyle = "none"    // nothing
)
