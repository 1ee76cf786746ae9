package conversation

import "context"

// Prompt is a message to the agent.
type Prompt struct {
	Text    string    `json:"text"`
	Images  []Image   `json:"images,omitzero"`
	Context []Snippet `json:"context,omitzero"`
	Model   string    `json:"model,omitzero"` // name in the settings; empty: as before
}

// Snippet is code that a prompt is about.
type Snippet struct {
	Path      string `json:"path"` // relative to the repository, with slashes
	StartLine int    `json:"startLine,omitzero"`
	EndLine   int    `json:"endLine,omitzero"`
	Text      string `json:"text,omitzero"` // empty: as the file is inside
}

// Accepted says that a prompt was taken.
type Accepted struct {
	ID      string `json:"id"`      // of its message
	Turn    int    `json:"turn"`    // that it belongs to
	Steered bool   `json:"steered"` // that turn was running already
}

// Settings are what the host lets the agent know of its user's settings. There are no keys among them.
type Settings struct {
	Models       []Model     `json:"models"`
	Default      string      `json:"default,omitzero"`      // name of the model that is used unless a prompt names another; empty: the first
	NoCoAuthor   bool        `json:"noCoAuthor,omitzero"`   // the agent's commits get no trailer
	Instructions string      `json:"instructions,omitzero"` // the user's own, for the system prompt
	MaxSteps     int         `json:"maxSteps,omitzero"`     // requests to the model per turn; 0: a default
	MCP          []MCPServer `json:"mcp,omitzero"`
	BrowserURL   string      `json:"browserURL,omitzero"` // of a browser's debugging endpoint, where the image has none
	Error        *Problem    `json:"error,omitzero"`      // why there is no model, for people
}

// Model is a model that the settings name.
type Model struct {
	Name            string `json:"name"`     // for people
	Provider        string `json:"provider"` // "anthropic" or "openai"
	Model           string `json:"model"`    // as the provider calls it
	ContextWindow   int    `json:"contextWindow,omitzero"`
	MaxOutputTokens int    `json:"maxOutputTokens,omitzero"`
	ThinkingTokens  int    `json:"thinkingTokens,omitzero"` // budget for thinking
	Effort          string `json:"effort,omitzero"`         // low, medium, high, …, where the provider knows that instead
	NoImages        bool   `json:"noImages,omitzero"`       // it cannot see
}

// MCPServer is a server of the Model Context Protocol: a command inside, or an address.
type MCPServer struct {
	Name    string            `json:"name"`
	Command string            `json:"command,omitzero"`
	Args    []string          `json:"args,omitzero"`
	Env     map[string]string `json:"env,omitzero"`
	URL     string            `json:"url,omitzero"`
	Headers map[string]string `json:"headers,omitzero"`
}

// Control is the agent as its [Handler] needs it. Methods return soon, and errors are [*Problem] where people are to read them.
type Control interface {
	Prompt(ctx context.Context, p Prompt) (Accepted, error)
	Cancel(tool string) error // of the named tool call, or of the turn when empty
	Answer(id, answer string) error
	Configure(s Settings) error
}
