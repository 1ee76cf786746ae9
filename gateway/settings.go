package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Provider is which API a model is asked by.
type Provider string

// The providers.
const (
	Anthropic Provider = "anthropic" // the Messages API
	OpenAI    Provider = "openai"    // the chat completions API, which most servers speak
)

// Model is one that the settings name.
type Model struct {
	Name          string   `json:"name"`          // for people; default: Model
	Provider      Provider `json:"provider"`      // default: anthropic for claude-…, else openai
	Model         string   `json:"model"`         // as the provider calls it
	BaseURL       string   `json:"baseUrl"`       // of the API, as the provider's own SDK wants it; default: the provider's
	APIKeyEnv     string   `json:"apiKeyEnv"`     // variable of the host with the key
	APIKeyCommand []string `json:"apiKeyCommand"` // program of the host that prints the key, and its arguments; run without a shell
	ContextWindow int      `json:"contextWindow"` // tokens; 0: not known
	MaxOutput     int      `json:"maxOutputTokens"`
	Thinking      Thinking `json:"thinking"`
	NoImages      bool     `json:"noImages"` // it cannot look at pictures
	Prices        *Prices  `json:"prices"`   // nil: not known
}

// Thinking is how much a model thinks before it answers: a number of tokens, or a word such as "low" or "high" where the provider knows that instead.
type Thinking struct {
	Tokens int
	Effort string
}

// UnmarshalJSON takes a number or a word.
func (t *Thinking) UnmarshalJSON(data []byte) error {
	*t = Thinking{}
	if json.Unmarshal(data, &t.Tokens) == nil && t.Tokens >= 0 {
		return nil
	}
	*t = Thinking{}
	if json.Unmarshal(data, &t.Effort) == nil && effort.MatchString(t.Effort) {
		return nil
	}
	return errors.New("thinking: want a number of tokens, or a word such as low, medium or high")
}

var effort = regexp.MustCompile(`^[a-z]{0,20}$`)

// Prices are dollars for a million tokens.
type Prices struct {
	Input      float64  `json:"input"`
	Output     float64  `json:"output"`
	CacheRead  *float64 `json:"cacheRead"`  // default: Input
	CacheWrite *float64 `json:"cacheWrite"` // default: Input
}

// Limit is what may be used; 0: any amount.
type Limit struct {
	Dollars float64 `json:"dollars"` // by the prices; a model without prices counts nothing
	Tokens  int64   `json:"tokens"`  // of all kinds together
	Calls   int64   `json:"calls"`   // requests to a model
}

// Budget is what may be used before the next call is refused.
type Budget struct {
	Turn    Limit `json:"turn"`
	Session Limit `json:"session"`
}

// Settings are what a user decides about models. The zero value names none.
type Settings struct {
	Models  []Model
	Default string // name of the model that is used unless a prompt names another; default: the first
	Budget  Budget
}

// maxModels bounds a list that is searched at each call.
const maxModels = 200

// DecodeSettings reads `models`, `model` and `budget` from the "sketch" section of an editor's settings. What is wrong is left out and told; the rest counts.
func DecodeSettings(data []byte) (Settings, error) {
	var raw struct {
		Models json.RawMessage `json:"models"`
		Model  json.RawMessage `json:"model"`
		Budget json.RawMessage `json:"budget"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return Settings{}, fmt.Errorf("not an object: %w", err)
	}
	var s Settings
	var errs []error
	s.Models, errs = decodeModels(raw.Models)
	if err := decodeOptional(raw.Model, &s.Default); err != nil {
		errs = append(errs, fmt.Errorf("model: %w", err))
	}
	if err := decodeOptional(raw.Budget, &s.Budget); err != nil {
		errs = append(errs, fmt.Errorf("budget: %w", err))
		s.Budget = Budget{}
	}
	if err := s.Budget.check(); err != nil {
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// decodeOptional leaves into as it is where nothing is set.
func decodeOptional(raw json.RawMessage, into any) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	return json.Unmarshal(raw, into)
}

func decodeModels(raw json.RawMessage) (models []Model, errs []error) {
	var list []json.RawMessage
	if err := decodeOptional(raw, &list); err != nil {
		return nil, []error{fmt.Errorf("models: %w", err)}
	}
	if len(list) > maxModels {
		errs, list = append(errs, fmt.Errorf("models: more than %d", maxModels)), list[:maxModels]
	}
	for i, entry := range list {
		m, err := decodeModel(entry)
		if err == nil && slices.ContainsFunc(models, func(other Model) bool { return other.Name == m.Name }) {
			err = fmt.Errorf("the name %q is taken", m.Name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("models[%d]: %w", i, err))
			continue
		}
		models = append(models, m)
	}
	return models, errs
}

func decodeModel(entry json.RawMessage) (Model, error) {
	var m Model
	if err := json.Unmarshal(entry, &m); err != nil {
		return Model{}, err
	}
	if m.Model == "" {
		return Model{}, errors.New("model is missing: the provider's own name for it")
	}
	if m.Name == "" {
		m.Name = m.Model
	}
	switch m.Provider {
	case "":
		m.Provider = guessProvider(m.Model)
	case Anthropic, OpenAI:
	default:
		return Model{}, fmt.Errorf("provider %q: want anthropic or openai", m.Provider)
	}
	if m.BaseURL == "" {
		return m, nil
	}
	return m, checkBaseURL(m.BaseURL)
}

func guessProvider(model string) Provider {
	if strings.HasPrefix(model, "claude") {
		return Anthropic
	}
	return OpenAI
}

func checkBaseURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("baseUrl: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("baseUrl %q: want http:// or https:// and a host", text)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("baseUrl: want no user, query or fragment; keys belong in apiKeyEnv or apiKeyCommand")
	}
	return nil
}

func (b Budget) check() error {
	for _, l := range []Limit{b.Turn, b.Session} {
		if l.Dollars < 0 || l.Tokens < 0 || l.Calls < 0 {
			return errors.New("budget: amounts are not negative")
		}
	}
	return nil
}

// base is the address below which the API's paths are, without a slash at its end.
func (m Model) base(getenv func(string) string) string {
	base := m.BaseURL
	if base == "" {
		base = defaultBase(m.Provider, getenv)
	}
	return strings.TrimRight(base, "/")
}

// defaultBase is where the provider's own SDKs look.
func defaultBase(p Provider, getenv func(string) string) string {
	name, base := "ANTHROPIC_BASE_URL", "https://api.anthropic.com"
	if p == OpenAI {
		name, base = "OPENAI_BASE_URL", "https://api.openai.com/v1"
	}
	if own := getenv(name); own != "" && checkBaseURL(own) == nil {
		return own
	}
	return base
}

// plain reports whether an address would carry a key unencrypted through a network.
func plain(base string) bool {
	u, err := url.Parse(base)
	if err != nil || u.Scheme == "https" {
		return err != nil
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil {
		return !ip.IsLoopback()
	}
	return u.Hostname() != "localhost"
}

// ModelEnv names the model that is used where no setting names any.
const ModelEnv = "SKETCH_IDE_MODEL"

// withDefault adds the one model that needs no setting, that of [ModelEnv], if there is none in the settings. No name is known here: which models there are
// changes faster than this program.
func (s Settings) withDefault(getenv func(string) string) Settings {
	if name := getenv(ModelEnv); len(s.Models) == 0 && name != "" {
		s.Models = []Model{{Name: name, Model: name, Provider: guessProvider(name)}}
	}
	return s
}
