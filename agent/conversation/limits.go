package conversation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sketch-ide/sketch-ide/internal/jsonbound"
)

// Bounds of what a message carries. The writer keeps to them, and the host's end checks them.
const (
	MaxText        = 1 << 20   // bytes of a message's text, and of its thinking
	MaxOutput      = 64 << 10  // bytes of a tool's output
	MaxDiff        = 256 << 10 // bytes of a tool's diff
	MaxInput       = 64 << 10  // bytes of a tool's input as it is shown; what is longer is left out
	MaxImages      = 16        // per message
	MaxImageBytes  = 8 << 20   // base64 bytes of a message's images together
	MaxUncommitted = 100       // names
	MaxTodo        = 100       // items
	maxLine        = 4 << 10   // bytes of titles, names, options and the like
	maxOptions     = 20
)

// Bounds of what is kept and sent.
const (
	maxKept      = 4096     // messages in memory
	maxKeptBytes = 64 << 20 // about, in memory
	maxAnswer    = 8 << 20  // bytes of messages in one answer, before they are encoded
	maxEvent     = 32 << 20 // bytes of one event, and of one request
	maxValues    = 500_000  // JSON values of an answer or an event that are decoded
	defaultLimit = 200
)

// decodeBounded reads JSON that comes from a container into v.
func decodeBounded(data []byte, v any) error {
	if n := jsonbound.Values(data); n > maxValues {
		return fmt.Errorf("%d values, the limit is %d", n, maxValues)
	}
	return json.Unmarshal(data, v)
}

// Clip cuts text at limit bytes, at a character's boundary, and says so in its last words.
func Clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const note = "\n[cut]"
	cut := max(limit-len(note), 0)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + note
}

// ClipTail keeps the end of text, of limit bytes at most.
func ClipTail(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := len(text) - limit
	for cut < len(text) && !utf8.RuneStart(text[cut]) {
		cut++
	}
	return text[cut:]
}

// bound makes a message keep to the limits. It modifies no shared slice or pointer.
func (m *Message) bound() {
	m.ID, m.Kind = Clip(m.ID, maxLine), oneOf(m.Kind, Notice, User, Assistant, Tool, Asked)
	m.Text, m.Thinking = Clip(m.Text, MaxText), Clip(m.Thinking, MaxText)
	m.Images = boundImages(m.Images)
	if m.Tool != nil {
		m.Tool = m.Tool.bounded()
	}
	if m.Question != nil {
		q := *m.Question
		q.Text, q.Answer = Clip(q.Text, MaxOutput), Clip(q.Answer, MaxOutput)
		q.Options = boundLines(q.Options, maxOptions)
		m.Question = &q
	}
	m.Error = m.Error.bounded()
}

// oneOf returns value if it is one of known, which editors tell apart, else otherwise.
func oneOf[T ~string](value, otherwise T, known ...T) T {
	if slices.Contains(known, value) {
		return value
	}
	return otherwise
}

func boundImages(images []Image) []Image {
	total := 0
	for i, image := range images {
		total += len(image.Data) + len(image.MIMEType) + len(image.Name)
		if i == MaxImages || total > MaxImageBytes {
			return images[:i:i]
		}
	}
	return images
}

func (t *ToolCall) bounded() *ToolCall {
	c := *t
	c.ID, c.Name, c.Title = Clip(c.ID, maxLine), Clip(c.Name, maxLine), Clip(oneLine(c.Title), maxLine)
	c.Output, c.Diff = ClipTail(c.Output, MaxOutput), Clip(c.Diff, MaxDiff)
	c.State = oneOf(c.State, ToolFailed, ToolPending, ToolRunning, ToolDone, ToolCancelled)
	if len(c.Input) > MaxInput || len(c.Input) > 0 && !json.Valid(c.Input) {
		c.Input = nil
	}
	return &c
}

func (p *Problem) bounded() *Problem {
	if p == nil {
		return nil
	}
	c := *p
	c.Kind, c.Message, c.Hint = Clip(c.Kind, maxLine), Clip(c.Message, maxLine), Clip(c.Hint, maxLine)
	return &c
}

// bound makes a status keep to the limits.
func (s *Status) bound() {
	s.Model = Clip(s.Model, maxLine)
	s.State = oneOf(s.State, Off, Idle, Thinking, Tools, Asking, Retrying, Compacting, Cancelling)
	s.Outcome = oneOf(s.Outcome, Failed, "", Done, Cancelled, Budget)
	s.Uncommitted = boundLines(s.Uncommitted, MaxUncommitted)
	todo := s.Todo[:min(len(s.Todo), MaxTodo)]
	s.Todo = make([]TodoItem, 0, len(todo))
	for _, item := range todo {
		s.Todo = append(s.Todo, TodoItem{ID: Clip(item.ID, maxLine), Text: Clip(item.Text, maxLine), Status: oneOf(item.Status, "pending", "active", "done")})
	}
	if len(s.Todo) == 0 {
		s.Todo = nil
	}
	s.Error = s.Error.bounded()
}

func boundLines(lines []string, limit int) []string {
	if len(lines) == 0 {
		return nil
	}
	bounded := make([]string, 0, min(len(lines), limit))
	for _, line := range lines[:min(len(lines), limit)] {
		bounded = append(bounded, Clip(line, maxLine))
	}
	return bounded
}

func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// size is about how much memory a message takes.
func (m *Message) size() int {
	n := 512 + len(m.Text) + len(m.Thinking)
	for _, image := range m.Images {
		n += len(image.Data)
	}
	if m.Tool != nil {
		n += len(m.Tool.Input) + len(m.Tool.Output) + len(m.Tool.Diff)
	}
	return n
}
