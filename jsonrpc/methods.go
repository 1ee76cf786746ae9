package jsonrpc

import "reflect"

//go:generate go test . -run TestGenerated -update

// method is one row of the table of messages, for the reference and for the TypeScript mirror.
type method struct {
	name   string
	params reflect.Type // nil where the LSP specification says what they are
	doc    string       // what sketch-ide does with it
}

// notifications are sent to clients that declare `experimental.sketch`.
func notifications() []method {
	return []method{
		{methodSession, reflect.TypeFor[Session](), "The full state of a session, after each change."},
		{methodPorts, reflect.TypeFor[PortsNotification](), "The full state of a session's ports, after each change."},
		{methodPortEvent, reflect.TypeFor[PortEventNotification](), "Something happened to one port."},
		{methodBranch, reflect.TypeFor[Branch](), "The full state of the branch that a session's commits come back as, after each change."},
		{methodAgent, reflect.TypeFor[AgentStatus](), "How a session's agent stands, after each change."},
		{methodMessage, reflect.TypeFor[MessageNotification](), "One message of the conversation with the agent, as it stands; again and again while it is streamed. Where an editor reads too slowly some are left out; `sketch.conversation` has them all."},
	}
}

const (
	methodSession   = "$/sketch/session"
	methodPorts     = "$/sketch/ports"
	methodPortEvent = "$/sketch/portEvent"
	methodBranch    = "$/sketch/branch"
	methodAgent     = "$/sketch/agent"
	methodMessage   = "$/sketch/message"
	methodFocus     = "$/sketch/focus"
)

// received are the standard methods that the server understands.
func received() []method {
	return []method{
		{"initialize", nil, "`workspaceFolders`, else `rootUri`, else `rootPath` say where sessions start; `initializationOptions` are the settings; `processId` is watched."},
		{"initialized", nil, "From now on the editor is told things."},
		{"shutdown", nil, "Later requests are refused with -32600."},
		{"exit", nil, "Ends the server: exit code 0 after `shutdown`, else 1. Sessions go on."},
		{"$/cancelRequest", nil, "Cancels a running request; it is answered with -32800."},
		{"$/setTrace", nil, "Accepted and ignored."},
		{"workspace/executeCommand", nil, "Executes a command of the table below."},
		{"workspace/didChangeConfiguration", nil, "The settings, under `sketch` or bare."},
		{"workspace/didChangeWorkspaceFolders", nil, "Changes where sessions start."},
		{"window/workDoneProgress/cancel", nil, "Cancels the start, or the agent's turn, that the token belongs to."},
		{methodFocus, reflect.TypeFor[FocusParams](), "A notification: the editor's window got or lost the focus. While it has it no toast tells of the agent. Params: [FocusParams](#focusparams)."},
	}
}

// sent are the standard methods that the server uses, each only where the client's capabilities allow it.
func sent() []method {
	return []method{
		{"window/showMessageRequest", nil, "A toast with buttons, in the style `actions`: about ports, and a question of the agent with its options."},
		{"window/showMessage", nil, "A toast in the style `message`; errors and warnings in every style; the end of the agent's turn, and its questions; what happens to a session, to clients that do not declare `experimental.sketch`."},
		{"window/logMessage", nil, "Details: what happens to sessions, with its reasons."},
		{"window/showDocument", nil, "Opens a URL in the browser (`external: true`), when the user or `onAutoForward` asks to (the latter at most three times a minute), never otherwise; without it, or when it is not shown, the host opens the browser."},
		{"window/workDoneProgress/create", nil, "Before the progress of a start that lasts longer than 150 ms, unless its request brought a token, and of a turn of the agent. What is created has a begin and an end."},
		{"$/progress", nil, "How far a start is, and what the agent is doing."},
	}
}
