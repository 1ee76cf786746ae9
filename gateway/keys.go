package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// KeyError says why there is no key for a model. It never has any part of a key in it.
type KeyError struct {
	Model  string // its name
	Reason string
	Hint   string // one thing to do about it
}

// Error says which model and why.
func (e *KeyError) Error() string { return "no key for " + e.Model + ": " + e.Reason }

const (
	commandTimeout = 2 * time.Minute // it may ask for a fingerprint
	maxKey         = 16 << 10
	maxEditorKeys  = 100
)

// keys finds keys, and remembers those that the editor gave and that commands printed; in memory only.
type keys struct {
	getenv func(string) string

	mu      sync.Mutex
	editor  map[string]string // guarded by mu: by name of a model or of a provider
	printed map[string]string // guarded by mu: by command
	running sync.Mutex        // held while a command runs, so that no user is asked twice at once
}

// set takes a key from the editor, or forgets it.
func (k *keys) set(name, key string) error {
	key = strings.TrimSpace(key)
	switch {
	case name == "":
		return errors.New("a key needs the name of a model or of a provider")
	case !usable(key) && key != "":
		return errors.New("that is not a key: it has spaces or control characters, or is too long")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case key == "":
		delete(k.editor, name)
	case len(k.editor) >= maxEditorKeys:
		return errors.New("too many keys")
	default:
		k.editor[name] = key
	}
	return nil
}

// usable reports whether text can be in a header.
func usable(key string) bool {
	return key != "" && len(key) <= maxKey && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// find returns the model's key: by its command, its variable, the editor's for it or for its provider, else the provider's variable. Where the model has an
// address of its own, which needs no key and must not see another's, that variable does not count, and no key is none.
func (k *keys) find(ctx context.Context, m Model) (string, error) {
	if len(m.APIKeyCommand) > 0 {
		return k.ask(ctx, m)
	}
	if m.APIKeyEnv != "" {
		if key := strings.TrimSpace(k.getenv(m.APIKeyEnv)); usable(key) {
			return key, nil
		}
		return "", &KeyError{m.Name, "the variable " + m.APIKeyEnv + " is not set", "Set " + m.APIKeyEnv + " where the editor is started, or let the editor keep the key."}
	}
	if key := k.given(m); key != "" {
		return key, nil
	}
	if m.BaseURL != "" {
		return "", nil
	}
	if key := strings.TrimSpace(k.getenv(keyEnv(m.Provider))); usable(key) {
		return key, nil
	}
	return "", &KeyError{m.Name, keyEnv(m.Provider) + " is not set", "Set " + keyEnv(m.Provider) + ", or let the editor keep the key (sketch.setKey)."}
}

func (k *keys) given(m Model) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key := k.editor[m.Name]; key != "" {
		return key
	}
	if m.BaseURL != "" {
		return "" // a provider's key is for the provider
	}
	return k.editor[string(m.Provider)]
}

func keyEnv(p Provider) string {
	if p == OpenAI {
		return "OPENAI_API_KEY"
	}
	return "ANTHROPIC_API_KEY"
}

// ready says whether a key will be found, without running anything.
func (k *keys) ready(m Model) error {
	if len(m.APIKeyCommand) > 0 {
		return nil
	}
	_, err := k.find(context.Background(), m)
	return err
}

// ask runs the model's command, once.
func (k *keys) ask(ctx context.Context, m Model) (string, error) {
	name := strings.Join(m.APIKeyCommand, "\x00")
	k.running.Lock()
	defer k.running.Unlock()
	k.mu.Lock()
	key := k.printed[name]
	k.mu.Unlock()
	if key != "" {
		return key, nil
	}
	key, err := run(ctx, m.APIKeyCommand)
	if err != nil {
		return "", &KeyError{m.Name, err.Error(), "Run apiKeyCommand in a terminal to see what it says."}
	}
	k.mu.Lock()
	k.printed[name] = key
	k.mu.Unlock()
	return key, nil
}

// forget drops what a command printed, since it was refused.
func (k *keys) forget(m Model) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.printed, strings.Join(m.APIKeyCommand, "\x00"))
}

// run returns what a command prints. What it says on standard error is left out: that may be anything.
func run(ctx context.Context, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], slices.Clone(command[1:])...) //nolint:gosec // the user's own setting says what to run
	cmd.WaitDelay = time.Second
	out := &limited{limit: maxKey}
	cmd.Stdout = out
	err := cmd.Run()
	key := strings.TrimSpace(out.String())
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("apiKeyCommand %s: %w", command[0], ctx.Err())
	case err != nil:
		return "", fmt.Errorf("apiKeyCommand %s: %w", command[0], err)
	case !usable(key):
		return "", fmt.Errorf("apiKeyCommand %s printed no key", command[0])
	}
	return key, nil
}

// limited keeps the first bytes that are written to it.
type limited struct {
	bytes.Buffer
	limit int
}

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), l.limit+1-min(l.Len(), l.limit+1))])
	return len(p), nil
}
