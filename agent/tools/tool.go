package tools

//go:generate go test . -run ^TestDocs$ -update

import (
	"context"
	"encoding/json"
)

// Spec is what a model is told about a tool.
type Spec struct {
	Name        string
	Description string
	Schema      json.RawMessage // JSON Schema of the input, which is an object
}

// Image is a picture that a tool made or read.
type Image struct {
	MIMEType string // image/png or image/jpeg
	Data     []byte
}

// Result is what came of a call.
type Result struct {
	Text    string  // for the model, at most 64 KiB
	Images  []Image // for the model and for people
	Diff    string  // unified diff of what was changed, for people; may be empty
	Failed  bool    // the tool ran and failed; Text says why and what to do
	EndTurn bool    // the agent says that it has finished
}

// Call is one use of a tool.
type Call struct {
	ID    string
	Input json.RawMessage
	// Output is told the end of the live output (at most 8 KiB) while the tool runs, for people. It is never nil, must not block, and
	// is called often.
	Output func(soFar string)
}

// Tool is something that the agent can do.
type Tool interface {
	// Spec describes it to a model.
	Spec() Spec
	// Title says in one line for people what a call with this input does. The input may be anything.
	Title(input json.RawMessage) string
	// Run does it. An error is not the model's to mend: the context has ended. The result may hold then what there was.
	Run(ctx context.Context, call Call) (Result, error)
}

// failed is the result of a tool that says why it did not work.
func failed(text string) Result { return Result{Text: text, Failed: true} }
