package jsonrpc

import (
	"encoding/json"
	"time"
)

// This file is the part of wire.go about the agent: what it is told, the conversation, and how it stands.

// AgentState is what the agent is doing.
type AgentState string

// The states of the agent.
const (
	AgentOff        AgentState = "off"        // no model or no key is configured; everything else works
	AgentIdle       AgentState = "idle"       // it waits for a prompt
	AgentThinking   AgentState = "thinking"   // the model answers
	AgentTools      AgentState = "tools"      // tools run
	AgentAsking     AgentState = "asking"     // it asked something and waits for the answer
	AgentRetrying   AgentState = "retrying"   // the model's server was not to be had; it tries again
	AgentCompacting AgentState = "compacting" // it makes room in its context
	AgentCancelling AgentState = "cancelling" // what runs is being ended
)

// TurnOutcome is how a turn ended.
type TurnOutcome string

// The outcomes.
const (
	TurnDone      TurnOutcome = "done"      // the agent says that it has finished
	TurnCancelled TurnOutcome = "cancelled" // the user cancelled it
	TurnFailed    TurnOutcome = "failed"    // something kept it from going on; the last notice says what
	TurnBudget    TurnOutcome = "budget"    // a budget was used up
)

// AgentStatus is how a session's agent stands. It is always the full state.
type AgentStatus struct {
	Session     string      `json:"session"`              // name of the session
	State       AgentState  `json:"state"`                // what it is doing
	Model       string      `json:"model,omitzero"`       // name of the model in use
	Turn        int         `json:"turn"`                 // number of the current or last turn; 0: none yet
	Outcome     TurnOutcome `json:"outcome,omitzero"`     // how the last turn ended, when idle
	Queued      int         `json:"queued,omitzero"`      // messages that wait for the next tool boundary
	Since       time.Time   `json:"since,omitzero"`       // when the current turn began, while there is one
	Todo        []TodoItem  `json:"todo,omitzero"`        // the agent's plan
	Usage       Usage       `json:"usage"`                // of the whole session
	ContextUsed int         `json:"contextUsed,omitzero"` // tokens of the context that the last request took
	ContextSize int         `json:"contextSize,omitzero"` // tokens that the model has room for
	Uncommitted []string    `json:"uncommitted,omitzero"` // files that the last turn left uncommitted inside, at most 100
	Error       *ErrorData  `json:"error,omitzero"`       // why it is off, why the last turn failed, or what is being retried
}

// TodoStatus is how far an item of the agent's plan is.
type TodoStatus string

// The todo statuses.
const (
	TodoPending TodoStatus = "pending" // to be done
	TodoActive  TodoStatus = "active"  // being done
	TodoDone    TodoStatus = "done"    // done
)

// TodoItem is one item of the agent's plan.
type TodoItem struct {
	ID     string     `json:"id"`     // names it in the plan
	Text   string     `json:"text"`   // what is to be done
	Status TodoStatus `json:"status"` // how far it is
}

// Usage is what was used of a model.
type Usage struct {
	InputTokens      int64   `json:"inputTokens"`               // sent, not counting those from the cache
	OutputTokens     int64   `json:"outputTokens"`              // generated, thinking included
	CacheReadTokens  int64   `json:"cacheReadTokens,omitzero"`  // sent and read from the cache
	CacheWriteTokens int64   `json:"cacheWriteTokens,omitzero"` // sent and written to the cache
	Dollars          float64 `json:"dollars"`                   // by the prices in the settings; 0 where a model has none
	Priced           bool    `json:"priced"`                    // dollars is known: each model used has a price
}

// MessageKind is what a message of the conversation is.
type MessageKind string

// The kinds of messages.
const (
	MessageUser      MessageKind = "user"      // somebody prompted
	MessageAssistant MessageKind = "assistant" // the model said something
	MessageTool      MessageKind = "tool"      // the agent used a tool
	MessageQuestion  MessageKind = "question"  // the agent asks; sketch.answer answers
	MessageNotice    MessageKind = "notice"    // something happened: a commit, a retry, a compaction, a budget, an error
)

// Message is one message of a conversation. While it is streamed it is sent again and again, each time as it stands; what has its id replaces it.
type Message struct {
	ID       string      `json:"id"`                // names it in the conversation
	Seq      int64       `json:"seq"`               // its place: larger is later
	Kind     MessageKind `json:"kind"`              // what it is
	Time     time.Time   `json:"time"`              // when it began
	Turn     int         `json:"turn"`              // number of the turn that it belongs to
	Done     bool        `json:"done"`              // it will not change any more
	Text     string      `json:"text,omitzero"`     // what was said, Markdown
	Thinking string      `json:"thinking,omitzero"` // what the model thought first, where it shows that
	Images   []Image     `json:"images,omitzero"`   // that belong to it, such as screenshots
	Tool     *ToolCall   `json:"tool,omitzero"`     // of a tool message
	Question *Question   `json:"question,omitzero"` // of a question
	Usage    *Usage      `json:"usage,omitzero"`    // of an assistant message that is done
	Error    *ErrorData  `json:"error,omitzero"`    // of a notice about something that failed
}

// Image is a picture.
type Image struct {
	MIMEType string `json:"mimeType"`      // image/png, image/jpeg, image/gif or image/webp
	Data     string `json:"data"`          // base64
	Name     string `json:"name,omitzero"` // of the file, where it had one
}

// ToolState is how far a tool call is.
type ToolState string

// The tool states.
const (
	ToolPending   ToolState = "pending"   // its input is still being written
	ToolRunning   ToolState = "running"   // it runs
	ToolDone      ToolState = "done"      // it succeeded
	ToolFailed    ToolState = "failed"    // it failed; output says why
	ToolCancelled ToolState = "cancelled" // it was ended by the user
)

// ToolCall is one use of a tool.
type ToolCall struct {
	ID         string          `json:"id"`                  // names it for sketch.cancel
	Name       string          `json:"name"`                // of the tool, e.g. "bash"
	Title      string          `json:"title"`               // what it does, in a line for people, e.g. "go test ./..."
	State      ToolState       `json:"state"`               // how far it is
	Input      json.RawMessage `json:"input,omitzero"`      // as the model gave it
	Output     string          `json:"output,omitzero"`     // what came of it, or the end of that where it is long
	Diff       string          `json:"diff,omitzero"`       // unified diff of what it changed, where it edits files
	DurationMS int64           `json:"durationMs,omitzero"` // how long it took, in milliseconds
}

// Question is something that the agent asks its user.
type Question struct {
	Text     string   `json:"text"`              // what is asked
	Options  []string `json:"options,omitzero"`  // answers to choose from; any other text is an answer too
	Answer   string   `json:"answer,omitzero"`   // what was answered
	Answered bool     `json:"answered,omitzero"` // it needs no answer any more: answered, or its turn is over
}

// PromptParams is a message to the agent. While a turn runs it steers that one at its next tool boundary; else it begins one.
type PromptParams struct {
	Session string          `json:"session,omitzero"` // default: the session of this window
	Text    string          `json:"text"`             // the message; a word `@path` brings that file along
	Images  []Image         `json:"images,omitzero"`  // pictures
	Context []PromptContext `json:"context,omitzero"` // code that it is about
	Model   string          `json:"model,omitzero"`   // name of the model from here on; default: as before
}

// PromptContext is code that a prompt is about.
type PromptContext struct {
	Path      string `json:"path"`               // relative to the repository, with slashes
	StartLine int    `json:"startLine,omitzero"` // first line, from 1; absent for a whole file
	EndLine   int    `json:"endLine,omitzero"`   // last line
	Text      string `json:"text,omitzero"`      // the lines as the editor has them; absent: as they are inside
}

// PromptResult says that a message was taken.
type PromptResult struct {
	Session string `json:"session"` // its name
	ID      string `json:"id"`      // of the message in the conversation
	Turn    int    `json:"turn"`    // the turn that it belongs to
	Steered bool   `json:"steered"` // that turn was running already
}

// CancelParams asks to end what the agent does.
type CancelParams struct {
	Session string `json:"session,omitzero"` // default: the session of this window
	Tool    string `json:"tool,omitzero"`    // only this tool call; default: the whole turn
}

// AnswerParams answers a question of the agent.
type AnswerParams struct {
	Session string `json:"session,omitzero"` // default: the session of this window
	ID      string `json:"id"`               // of the message that asks
	Answer  string `json:"answer"`           // one of its options, or any text
}

// ConversationParams asks for the conversation.
type ConversationParams struct {
	Session string `json:"session,omitzero"` // default: the session of this window
	After   int64  `json:"after,omitzero"`   // only messages with a larger seq
	Limit   int    `json:"limit,omitzero"`   // at most so many, the latest; default: 200
}

// ConversationResult is a conversation, or its end.
type ConversationResult struct {
	Session  string      `json:"session"`       // its name
	Status   AgentStatus `json:"status"`        // how the agent stands
	Messages []Message   `json:"messages"`      // in order
	More     bool        `json:"more,omitzero"` // there are earlier ones that were not sent
}

// MessageNotification carries one message of the conversation, as it stands.
type MessageNotification struct {
	Session string  `json:"session"` // name of the session
	Message Message `json:"message"` // what has its id is replaced
}

// FocusParams says whether the editor's window has the focus.
type FocusParams struct {
	Focused bool `json:"focused"` // it has: its user sees the agent, so that no toast is needed
}

// ModelInfo is a model that the settings name.
type ModelInfo struct {
	Name     string     `json:"name"`           // for people and for sketch.prompt
	Provider string     `json:"provider"`       // "anthropic" or "openai"
	Model    string     `json:"model"`          // as the provider calls it
	Ready    bool       `json:"ready"`          // its key was found
	Error    *ErrorData `json:"error,omitzero"` // why it is not ready
}

// ModelsResult lists the models that the settings name.
type ModelsResult struct {
	Models  []ModelInfo `json:"models"`           // in the order of the settings
	Default string      `json:"default,omitzero"` // name of the one that is used unless a prompt names another
}

// SetKeyParams hands over a key that the editor keeps (secret storage). It stays in this process's memory.
type SetKeyParams struct {
	Name string `json:"name"` // of a model, or "anthropic" or "openai" for all of that provider
	Key  string `json:"key"`  // empty: forget it
}
