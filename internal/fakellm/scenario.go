package fakellm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tailscale/hujson"
)

// Scenario is what a model says, request by request. It is written as JSON with comments.
type Scenario struct {
	Title string `json:"title"`
	Steps []Step `json:"steps"`
	Loop  bool   `json:"loop"` // begin again after the last step, instead of refusing
}

// Step answers one request.
type Step struct {
	Note   string            `json:"note"`   // for readers
	Expect Expect            `json:"expect"` // what the request must have, or it is refused and counts as a [Server.Faults]
	Reply  []Part            `json:"reply"`  // what the model says
	Stop   string            `json:"stop"`   // why it ends: "end", "tools", "length" or "refusal"; default: "tools" where a tool is called, else "end"
	Usage  *Usage            `json:"usage"`  // default: made from the sizes
	Status int               `json:"status"` // answer this HTTP status and an error instead
	Header map[string]string `json:"header"` // of the answer
	Body   string            `json:"body"`   // of an answer with a status; default: an error in the API's shape
	Bytes  bool              `json:"bytes"`  // each byte of the stream is sent by itself
	Fault  *Fault            `json:"fault"`  // what goes wrong in the stream
}

// Expect is what a request must have.
type Expect struct {
	Last     []string `json:"last"`     // texts that the last message contains, results of tools included
	Anywhere []string `json:"anywhere"` // texts that the body contains, as it was sent
	Nowhere  []string `json:"nowhere"`  // texts that the body must not contain
	Tools    []string `json:"tools"`    // names of tools that are offered
}

// Part is a piece of what the model says; exactly one of Text, Thinking, Tool, Hold and Unknown is set.
type Part struct {
	Text     string          `json:"text"`
	Thinking string          `json:"thinking"`
	Tool     string          `json:"tool"`     // name of the tool that is called
	ID       string          `json:"id"`       // of the call; default: made from its place
	Input    json.RawMessage `json:"input"`    // of the call
	RawInput string          `json:"rawInput"` // instead of Input: sent as it is, valid or not
	Times    int             `json:"times"`    // Text, Thinking or RawInput so many times; default: 1
	Hold     string          `json:"hold"`     // wait here until [Server.Release] of that name
	Unknown  bool            `json:"unknown"`  // an event of a kind that does not exist yet
}

// Usage is what the API says was used.
type Usage struct {
	Input      int64 `json:"input"` // not counting what was read from the cache or written to it
	Output     int64 `json:"output"`
	CacheRead  int64 `json:"cacheRead"`
	CacheWrite int64 `json:"cacheWrite"`
}

// Fault is something that goes wrong in a stream.
type Fault struct {
	After int    `json:"after"` // this many events
	Kind  string `json:"kind"`  // "cut": the stream just ends; "reset": the connection breaks; "garbage": an event that is not JSON; "error": an event that tells an error; "hang": nothing more comes
}

// Parse reads a scenario. Unknown fields are errors, so that a misspelt one does not pass for a step that expects nothing.
func Parse(data []byte) (*Scenario, error) {
	plain, err := hujson.Standardize(data)
	if err != nil {
		return nil, fmt.Errorf("parse scenario: %w", err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(plain)))
	decoder.DisallowUnknownFields()
	var s Scenario
	if err := decoder.Decode(&s); err != nil {
		return nil, fmt.Errorf("parse scenario: %w", err)
	}
	for i, step := range s.Steps {
		if err := step.check(); err != nil {
			return nil, fmt.Errorf("parse scenario: step %d: %w", i+1, err)
		}
	}
	return &s, nil
}

// ParseFile reads a scenario from a file.
func ParseFile(path string) (*Scenario, error) {
	data, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	s, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (s Step) check() error {
	for i, p := range s.Reply {
		set := 0
		for _, is := range []bool{p.Text != "", p.Thinking != "", p.Tool != "", p.Hold != "", p.Unknown} {
			if is {
				set++
			}
		}
		if set != 1 {
			return fmt.Errorf("part %d: want one of text, thinking, tool, hold and unknown", i+1)
		}
	}
	if s.Fault != nil {
		switch s.Fault.Kind {
		case "cut", "reset", "garbage", "error", "hang":
		default:
			return fmt.Errorf("unknown fault %q", s.Fault.Kind)
		}
	}
	return nil
}

// input is what a call is given, as text.
func (p Part) input() string {
	switch {
	case p.RawInput != "":
		return p.repeat(p.RawInput)
	case len(p.Input) > 0:
		return string(p.Input)
	}
	return "{}"
}

func (p Part) repeat(text string) string { return strings.Repeat(text, max(p.Times, 1)) }

// id names a call: unique in a scenario.
func (p Part) id(prefix string, step, part int) string {
	if p.ID != "" {
		return p.ID
	}
	return fmt.Sprintf("%s_%03d_%02d", prefix, step+1, part+1)
}

// stop is why the answer ends.
func (s Step) stop() string {
	if s.Stop != "" {
		return s.Stop
	}
	for _, p := range s.Reply {
		if p.Tool != "" {
			return "tools"
		}
	}
	return "end"
}

// usage is what was used, as told or as the sizes suggest.
func (s Step) usage(request int) Usage {
	if s.Usage != nil {
		return *s.Usage
	}
	u := Usage{Input: int64(request/4) + 1}
	for _, p := range s.Reply {
		u.Output += int64(len(p.repeat(p.Text+p.Thinking))/4) + 1
		if p.Tool != "" {
			u.Output += int64(len(p.input())) / 4
		}
	}
	return u
}
