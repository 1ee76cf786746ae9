package gateway

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeSettings(t *testing.T) {
	t.Parallel()
	s, err := DecodeSettings([]byte(`{
		"baseImage": "x", "model": "fast",
		"models": [
			{"model": "claude-a"},
			{"name": "fast", "provider": "openai", "model": "b", "baseUrl": "http://localhost:11434/v1/", "apiKeyCommand": ["op", "read", "x"], "prices": {"input": 1, "output": 2}},
			{"name": "fast", "model": "c"},
			{"name": "none"},
			{"model": "d", "provider": "acme"},
			{"model": "e", "baseUrl": "ftp://x"},
			{"model": "f", "baseUrl": "https://user:secret@x"},
			7
		],
		"budget": {"turn": {"dollars": 1.5}, "session": {"tokens": 9, "calls": 3}}
	}`))
	want := Settings{
		Default: "fast",
		Models: []Model{
			{Name: "claude-a", Model: "claude-a", Provider: Anthropic},
			{Name: "fast", Model: "b", Provider: OpenAI, BaseURL: "http://localhost:11434/v1/", APIKeyCommand: []string{"op", "read", "x"}, Prices: &Prices{Input: 1, Output: 2}},
		},
		Budget: Budget{Turn: Limit{Dollars: 1.5}, Session: Limit{Tokens: 9, Calls: 3}},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	for _, word := range []string{`models[2]: the name "fast"`, "models[3]", "models[4]: provider", "models[5]", "models[6]", "models[7]"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("not told: %s in %v", word, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("a password is told: %v", err)
	}
	for _, text := range []string{`{}`, `{"models": null, "model": null, "budget": null}`} {
		if s, err := DecodeSettings([]byte(text)); err != nil || len(s.Models) > 0 {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	for _, text := range []string{`{"budget": {"turn": {"dollars": -1}}}`, `{"budget": []}`, `{"models": {}}`, `{"model": 1}`, `[]`} {
		if _, err := DecodeSettings([]byte(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestWithoutSettings(t *testing.T) {
	t.Parallel()
	env := map[string]string{}
	g := New(Config{Getenv: func(name string) string { return env[name] }})
	defer g.Close()
	if _, ok := g.Settings().DefaultModel(g.Ready); ok {
		t.Error("a model without key and settings")
	}
	if err := g.SetKey("anthropic", secret); err != nil {
		t.Fatal(err)
	}
	if m, ok := g.Settings().DefaultModel(g.Ready); ok {
		t.Errorf("a key names no model: %+v", m)
	}
	env[ModelEnv] = "claude-mine"
	if m, ok := g.Settings().DefaultModel(g.Ready); !ok || m.Model != "claude-mine" || m.Provider != Anthropic || g.Ready(m) != nil {
		t.Errorf("named by the environment, with the editor's key: %+v", m)
	}
	env[ModelEnv], env["OPENAI_API_KEY"] = "gpt-mine", secret
	if m, _ := g.Settings().DefaultModel(g.Ready); m.Model != "gpt-mine" || m.Provider != OpenAI || g.Ready(m) != nil {
		t.Errorf("named by the environment: %+v", m)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	counter := filepath.Join(t.TempDir(), "runs")
	env := map[string]string{"ANTHROPIC_API_KEY": "of-the-environment", "MINE": "mine", "BAD": "two words"}
	g := New(Config{Getenv: func(name string) string { return env[name] }})
	defer g.Close()
	for name, key := range map[string]string{"openai": "of-the-editor", "special": "for-one-model"} {
		if err := g.SetKey(name, key); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		model Model
		want  string // empty: an error
	}{
		"environment":         {Model{Provider: Anthropic}, "of-the-environment"},
		"own variable":        {Model{Provider: Anthropic, APIKeyEnv: "MINE"}, "mine"},
		"variable not set":    {Model{Provider: Anthropic, APIKeyEnv: "NONE"}, ""},
		"variable of words":   {Model{Provider: Anthropic, APIKeyEnv: "BAD"}, ""},
		"editor, by provider": {Model{Provider: OpenAI}, "of-the-editor"},
		"editor, by model":    {Model{Name: "special", Provider: OpenAI, BaseURL: "https://example.com"}, "for-one-model"},
		"command":             {Model{APIKeyCommand: []string{"sh", "-c", `echo run >>"$0"; echo " printed "`, counter}}, "printed"},
		"command that fails":  {Model{APIKeyCommand: []string{"sh", "-c", "echo sk-leak; echo sk-leak >&2; exit 3"}}, ""},
		"command of nothing":  {Model{APIKeyCommand: []string{"true"}}, ""},
		"no such command":     {Model{APIKeyCommand: []string{"/no/such/program"}}, ""},
	} {
		for range 2 {
			key, err := g.keys.find(t.Context(), c.model)
			if key != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%s: %q, %v", name, key, err)
			}
			if _, typed := errors.AsType[*KeyError](err); err != nil && (!typed || strings.Contains(err.Error(), "leak") || strings.Contains(err.Error(), "words")) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if runs, err := os.ReadFile(counter); err != nil || string(runs) != "run\n" {
		t.Errorf("the command ran %q times (%v)", runs, err)
	}
	// Another server is not sent a provider's key, and needs none.
	if key, err := g.keys.find(t.Context(), Model{Provider: OpenAI, BaseURL: "https://example.com"}); key != "" || err != nil {
		t.Errorf("a server of one's own was given %q, %v", key, err)
	}
	if err := g.SetKey("openai", ""); err != nil || g.Ready(Model{Name: "x", Provider: OpenAI}) == nil {
		t.Errorf("the key was not forgotten: %v", err)
	}
	for _, bad := range []string{"a b", "a\nb", strings.Repeat("x", maxKey+1)} {
		if g.SetKey("openai", bad) == nil {
			t.Errorf("took %.10q for a key", bad)
		}
	}
	if g.SetKey("", "x") == nil {
		t.Error("took a key for nothing")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.keys.find(cancelled, Model{APIKeyCommand: []string{"sleep", "60"}}); err == nil {
		t.Error("a cancelled command printed a key")
	}
}

func TestNoKeyTravelsInTheClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"steps": []}`, func(s *Settings) { s.Models[0].BaseURL = "http://models.example" })
	status, text, header := w.answer(messages, claudeHi)
	if status != http.StatusUnauthorized || header.Get(HeaderError) != "noModel" || !strings.Contains(text, "unencrypted") {
		t.Errorf("%d %s", status, text)
	}
	w = newWorld(t, `{"steps": []}`, func(s *Settings) { *s = Settings{} })
	if status, text, header := w.answer(messages, claudeHi); status != http.StatusUnauthorized || header.Get(HeaderError) != "noModel" || !strings.Contains(text, "no model is configured") {
		t.Errorf("%d %s", status, text)
	}
}

// TestRefusedKeyIsAskedForOnceMore: a command's key may have been changed since.
func TestRefusedKeyIsAskedForOnceMore(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "key")
	w := newWorld(t, `{"steps": [{"reply": [{"text": "a"}]}]}`, func(s *Settings) {
		s.Models[0].APIKeyEnv = ""
		s.Models[0].APIKeyCommand = []string{"sh", "-c", `if [ -e "$0" ]; then echo ` + secret + `; else touch "$0"; echo old; fi`, state}
	})
	if status, text, _ := w.answer(messages, claudeHi); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
}
