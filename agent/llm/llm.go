package llm

import (
	"encoding/json"
	"strings"
)

// Model says whom to ask, and how.
type Model struct {
	Name           string // in the settings
	Provider       string // [Anthropic] or [OpenAI]
	ID             string // as the provider calls it
	MaxOutput      int    // tokens of an answer; 0: a default
	ThinkingTokens int    // budget for thinking; 0: none is asked for
	Effort         string // how hard to think, where the provider has words for it instead
	NoImages       bool   // it cannot see
}

// The providers, by the APIs that they speak.
const (
	Anthropic = "anthropic"
	OpenAI    = "openai"
)

// Role is who said a message.
type Role string

// The roles. They alternate in a conversation, which a user begins; results of tools are the user's.
const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one message of a conversation. Its JSON form is kept in transcripts.
type Message struct {
	Role   Role    `json:"role"`
	Blocks []Block `json:"blocks"`
	Model  string  `json:"model,omitzero"` // of an assistant's: ID of the model that said it
}

// Block is a part of a message: exactly one of its fields is set.
type Block struct {
	Text     string    `json:"text,omitzero"`
	Thinking *Thinking `json:"thinking,omitzero"`
	Image    *Image    `json:"image,omitzero"`
	Call     *Call     `json:"call,omitzero"`
	Result   *Result   `json:"result,omitzero"`
}

// Thinking is what a model thought. It goes back to the same model only.
type Thinking struct {
	Text      string `json:"text,omitzero"`
	Signature string `json:"signature,omitzero"` // Anthropic's proof of it, or the name of the field that OpenAI's kind had it in
	Redacted  string `json:"redacted,omitzero"`  // instead of both
}

// Image is a picture.
type Image struct {
	MIMEType string `json:"mimeType"`
	Data     []byte `json:"data"`
}

// Call is the use of a tool that the model asks for.
type Call struct {
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Input  json.RawMessage `json:"input"` // a JSON object
	Broken string          `json:"-"`     // why the input is not what the model meant, if so; it must not be run then
}

// Result is what came of a call.
type Result struct {
	ID     string  `json:"id"` // of the call
	Text   string  `json:"text,omitzero"`
	Images []Image `json:"images,omitzero"`
	Failed bool    `json:"failed,omitzero"`
}

// Tool is a tool that the model may use.
type Tool struct {
	Name        string
	Description string
	Schema      json.RawMessage // JSON Schema of an object
}

// Request is what is asked.
type Request struct {
	Model    Model
	System   string
	Tools    []Tool
	Messages []Message // the last one is the user's
	Turn     int
	Purpose  string // "turn" or "compact", for the gateway's books
}

// Usage is what an answer took, in tokens.
type Usage struct {
	Input, Output         int64 // input without what came from the cache or went there
	CacheRead, CacheWrite int64
}

// Context is how much of the model's context the request and its answer take.
func (u Usage) Context() int { return int(u.Input + u.CacheRead + u.CacheWrite + u.Output) }

// Stop is why an answer ended.
type Stop string

// The reasons.
const (
	StopEnd     Stop = "end"     // nothing more is to be said
	StopTools   Stop = "tools"   // tools are to be run
	StopLength  Stop = "length"  // it had no more room, or took more than is read
	StopRefusal Stop = "refusal" // the model, or a filter, refuses
	StopPause   Stop = "pause"   // the provider asks to be asked again
)

// Response is a whole answer.
type Response struct {
	Blocks []Block // thinking, text and calls that have something in them
	Stop   Stop
	Usage  Usage
}

// Calls returns the tool calls, in order.
func (r Response) Calls() []Call {
	var calls []Call
	for _, b := range r.Blocks {
		if b.Call != nil {
			calls = append(calls, *b.Call)
		}
	}
	return calls
}

// Text returns what was said.
func (r Response) Text() string {
	var texts []string
	for _, b := range r.Blocks {
		if b.Text != "" {
			texts = append(texts, b.Text)
		}
	}
	return strings.Join(texts, "\n\n")
}

// Delta is what has just arrived of an answer.
type Delta struct {
	Text     string
	Thinking string
	Call     *Call // a call has begun: its id and name
}
