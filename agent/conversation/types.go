package conversation

import (
	"encoding/json"
	"time"
)

// State is what the agent is doing.
type State string

// The states, as editors are told them.
const (
	Off        State = "off"        // no model is configured
	Idle       State = "idle"       // it waits for a prompt
	Thinking   State = "thinking"   // the model answers
	Tools      State = "tools"      // tools run
	Asking     State = "asking"     // it asked something and waits for the answer
	Retrying   State = "retrying"   // the model was not to be had; it tries again
	Compacting State = "compacting" // it makes room in its context
	Cancelling State = "cancelling" // what runs is being ended
)

// Outcome is how a turn ended.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"
	Cancelled Outcome = "cancelled"
	Failed    Outcome = "failed"
	Budget    Outcome = "budget"
)

// Status is how the agent stands, always whole. It has the JSON form of what editors get, less the session's name.
type Status struct {
	State       State      `json:"state"`
	Model       string     `json:"model,omitzero"` // name in the settings
	Turn        int        `json:"turn"`           // number of the current or last turn; 0: none yet
	Outcome     Outcome    `json:"outcome,omitzero"`
	Queued      int        `json:"queued,omitzero"` // messages that wait for the next tool boundary
	Since       time.Time  `json:"since,omitzero"`  // when the current turn began
	Todo        []TodoItem `json:"todo,omitzero"`
	Usage       Usage      `json:"usage"`
	ContextUsed int        `json:"contextUsed,omitzero"` // tokens that the last request took
	ContextSize int        `json:"contextSize,omitzero"` // tokens that the model has room for
	Uncommitted []string   `json:"uncommitted,omitzero"` // what the last turn left uncommitted, at most [MaxUncommitted]
	Error       *Problem   `json:"error,omitzero"`       // why it is off, or why the last turn failed
}

// TodoItem is one item of the agent's plan.
type TodoItem struct {
	ID     string `json:"id"`
	Text   string `json:"text"`
	Status string `json:"status"` // pending, active or done
}

// Usage is what was used of a model. What it costs is known on the host alone.
type Usage struct {
	InputTokens      int64   `json:"inputTokens"`
	OutputTokens     int64   `json:"outputTokens"`
	CacheReadTokens  int64   `json:"cacheReadTokens,omitzero"`
	CacheWriteTokens int64   `json:"cacheWriteTokens,omitzero"`
	Dollars          float64 `json:"dollars"`
	Priced           bool    `json:"priced"`
}

// Add returns the sum of tokens.
func (u Usage) Add(v Usage) Usage {
	u.InputTokens += v.InputTokens
	u.OutputTokens += v.OutputTokens
	u.CacheReadTokens += v.CacheReadTokens
	u.CacheWriteTokens += v.CacheWriteTokens
	return u
}

// Kind is what a message is.
type Kind string

// The kinds of messages.
const (
	User      Kind = "user"
	Assistant Kind = "assistant"
	Tool      Kind = "tool"
	Asked     Kind = "question"
	Notice    Kind = "notice"
)

// Message is one message, as it stands. Values that were handed out are shared: their slices and pointers must not be modified.
type Message struct {
	ID       string    `json:"id"`
	Seq      int64     `json:"seq"` // its place; grows by one from message to message
	Kind     Kind      `json:"kind"`
	Time     time.Time `json:"time"`
	Turn     int       `json:"turn"`
	Done     bool      `json:"done"` // it will not change any more
	Text     string    `json:"text,omitzero"`
	Thinking string    `json:"thinking,omitzero"`
	Images   []Image   `json:"images,omitzero"`
	Tool     *ToolCall `json:"tool,omitzero"`
	Question *Question `json:"question,omitzero"`
	Usage    *Usage    `json:"usage,omitzero"`
	Error    *Problem  `json:"error,omitzero"`
}

// Image is a picture.
type Image struct {
	MIMEType string `json:"mimeType"`
	Data     string `json:"data"` // base64
	Name     string `json:"name,omitzero"`
}

// ToolState is how far a tool call is.
type ToolState string

// The tool states.
const (
	ToolPending   ToolState = "pending"
	ToolRunning   ToolState = "running"
	ToolDone      ToolState = "done"
	ToolFailed    ToolState = "failed"
	ToolCancelled ToolState = "cancelled"
)

// ToolCall is one use of a tool.
type ToolCall struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Title      string          `json:"title"`
	State      ToolState       `json:"state"`
	Input      json.RawMessage `json:"input,omitzero"`
	Output     string          `json:"output,omitzero"`
	Diff       string          `json:"diff,omitzero"`
	DurationMS int64           `json:"durationMs,omitzero"`
}

// Question is something that the agent asks its user.
type Question struct {
	Text     string   `json:"text"`
	Options  []string `json:"options,omitzero"`
	Answer   string   `json:"answer,omitzero"`
	Answered bool     `json:"answered,omitzero"` // it needs no answer any more
}

// Problem says what failed, to people and to programs.
type Problem struct { //nolint:errname // it is a part of messages first, and an error too
	Kind      string `json:"kind"` // as in the protocol with editors: noModel, model, budget, noQuestion, busy, arguments, cancelled, internal
	Message   string `json:"message"`
	Hint      string `json:"hint,omitzero"`
	Retryable bool   `json:"retryable"`
}

func (p *Problem) Error() string { return p.Message }
