package loop

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
)

var (
	errCancelled     = errors.New("cancelled by the user")
	errToolCancelled = errors.New("this tool call was cancelled by the user")
)

// Prompt takes a message. While a turn runs it belongs to that one.
func (l *Loop) Prompt(_ context.Context, p conversation.Prompt) (conversation.Accepted, error) {
	if err := checkPrompt(p); err != nil {
		return conversation.Accepted{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.acceptLocked(p); err != nil {
		return conversation.Accepted{}, err
	}
	turn := l.number
	steered := l.active && !l.closing && l.state != conversation.Cancelling
	if !steered {
		turn++
	}
	if !l.active {
		l.active, l.number = true, turn
	}
	m := l.cfg.Conversation.AddWith(conversation.User, turn, &p, func(m *conversation.Message) { m.Text, m.Images = shown(p), p.Images })
	l.inbox = append(l.inbox, waiting{m.ID, turn, p})
	l.cfg.Conversation.SetStatus(func(s *conversation.Status) { s.Queued = l.queued() })
	signal(l.wake)
	return conversation.Accepted{ID: m.ID, Turn: turn, Steered: steered}, nil
}

func (l *Loop) acceptLocked(p conversation.Prompt) error {
	switch {
	case len(l.settings.Models) == 0:
		if problem := l.settings.Error; problem != nil {
			return problem
		}
		return noModel("there is no model for the agent", "Name one in the setting models, and give its key.")
	case len(l.inbox) >= maxInbox:
		return &conversation.Problem{Kind: "busy", Message: fmt.Sprintf("%d messages wait already", maxInbox), Hint: "Wait, or cancel the turn.", Retryable: true}
	case p.Model != "":
		if !slices.ContainsFunc(l.settings.Models, func(m conversation.Model) bool { return m.Name == p.Model }) {
			return noModel(fmt.Sprintf("there is no model %q in the settings", conversation.Clip(p.Model, 100)), "sketch.models lists them.")
		}
		l.model = p.Model
	}
	return nil
}

func noModel(message, hint string) *conversation.Problem {
	return &conversation.Problem{Kind: "noModel", Message: message, Hint: hint}
}

// queued is how many messages wait for a tool boundary; those that begin a turn do not.
func (l *Loop) queued() int {
	if l.state == conversation.Idle || l.state == conversation.Off {
		return 0
	}
	return len(l.inbox)
}

// Bounds of a prompt.
const (
	maxSnippets = 50
	maxSnippet  = 256 << 10
)

func checkPrompt(p conversation.Prompt) error {
	total := 0
	for _, image := range p.Images {
		total += len(image.Data)
		if data, err := base64.StdEncoding.DecodeString(image.Data); err != nil || !goodImage(image.MIMEType, len(data)) {
			return arguments("an image is not a PNG, JPEG, GIF or WebP of at most 5 MB", "Make it smaller, or save it as PNG.")
		}
	}
	snippets := 0
	for _, s := range p.Context {
		snippets += len(s.Text)
	}
	switch {
	case strings.TrimSpace(p.Text) == "" && len(p.Images) == 0 && len(p.Context) == 0:
		return arguments("the message is empty", "")
	case len(p.Text) > conversation.MaxText:
		return arguments("the message is longer than 1 MiB", "Put it into a file and name that as @path.")
	case len(p.Images) > conversation.MaxImages || total > conversation.MaxImageBytes:
		return arguments(fmt.Sprintf("a message may have %d images, of 6 MB together", conversation.MaxImages), "")
	case len(p.Context) > maxSnippets || snippets > 4*maxSnippet:
		return arguments(fmt.Sprintf("a message may have %d pieces of code, of 1 MiB together", maxSnippets), "Name the files as @path.")
	}
	return nil
}

func arguments(message, hint string) *conversation.Problem {
	return &conversation.Problem{Kind: "arguments", Message: message, Hint: hint}
}

// maxImage is what providers take as one picture, in bytes.
const maxImage = 5 << 20

func goodImage(mimeType string, size int) bool {
	return slices.Contains([]string{"image/png", "image/jpeg", "image/gif", "image/webp"}, mimeType) && size > 0 && size <= maxImage
}

// shown is the text of a prompt for people: code is named, not repeated.
func shown(p conversation.Prompt) string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(p.Text, " \n"))
	for i, s := range p.Context {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "\n`%s`", where(s))
	}
	return strings.TrimSpace(b.String())
}

func where(s conversation.Snippet) string {
	switch {
	case s.StartLine > 0 && s.EndLine > s.StartLine:
		return fmt.Sprintf("%s:%d-%d", s.Path, s.StartLine, s.EndLine)
	case s.StartLine > 0:
		return fmt.Sprintf("%s:%d", s.Path, s.StartLine)
	}
	return s.Path
}

// Cancel ends a tool call, or with an empty id the turn. Where there is nothing to end it does nothing.
func (l *Loop) Cancel(tool string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if tool != "" {
		if end := l.calls[tool]; end != nil {
			end(errToolCancelled)
		}
		return nil
	}
	if l.cancel == nil {
		l.early = l.active
		return nil
	}
	err := l.toLocked(cancel)
	l.cancel(errCancelled)
	return err
}

// Configure takes the settings, whenever they change. It says too that the host is there.
func (l *Loop) Configure(s conversation.Settings) error {
	if l.cfg.Configured != nil {
		l.cfg.Configured(s)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settings = s
	signal(l.nudge)
	busy := l.state != conversation.Off && l.state != conversation.Idle
	l.cfg.Conversation.SetStatus(func(status *conversation.Status) {
		m := l.modelLocked()
		status.Model, status.ContextSize = m.Name, window(m)
		switch {
		case busy:
		case len(s.Models) == 0:
			status.Error = s.Error
		case status.Error != nil && status.Error.Kind == "noModel":
			status.Error = nil
		}
	})
	switch {
	case busy:
		return nil // the turn goes on; its next request is made by the new settings
	case len(s.Models) == 0:
		return l.toLocked(unconfigured)
	}
	return l.toLocked(configured)
}

// modelLocked is the model that is in use: the one that was chosen, the default, or the first.
func (l *Loop) modelLocked() conversation.Model {
	for _, name := range []string{l.model, l.settings.Default} {
		for _, m := range l.settings.Models {
			if m.Name == name {
				return m
			}
		}
	}
	if len(l.settings.Models) > 0 {
		return l.settings.Models[0]
	}
	return conversation.Model{}
}

// current returns the settings and the model in use.
func (l *Loop) current() (conversation.Settings, conversation.Model) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.settings, l.modelLocked()
}

func llmModel(m conversation.Model) llm.Model {
	return llm.Model{
		Name: m.Name, Provider: m.Provider, ID: m.Model, MaxOutput: m.MaxOutputTokens,
		ThinkingTokens: m.ThinkingTokens, Effort: m.Effort, NoImages: m.NoImages,
	}
}

// signal never blocks: one signal is as good as many.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
