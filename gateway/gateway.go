package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Config is what a [Gateway] needs; the zero value will do.
type Config struct {
	Getenv     func(string) string // nil: os.Getenv
	Transport  http.RoundTripper   // nil: one that verifies certificates and heeds HTTPS_PROXY
	BackoffMin time.Duration       // before the first retry, doubled each time; 0: half a second
	BackoffMax time.Duration       // 0: 30 s
	Attempts   int                 // at most, for one call; 0: 8
	Version    string              // told to the models' servers as the user agent
	Log        *slog.Logger        // nil discards
}

// Gateway is one process's way to the models' servers. Its methods may be called from any goroutine.
type Gateway struct {
	cfg    Config
	client *http.Client
	bodies *semaphore.Weighted // bytes of requests that are held, of all sessions together
	keys   *keys

	mu       sync.Mutex
	settings Settings // guarded by mu
}

// Bounds of what is held for containers.
const (
	maxBody   = 32 << 20 // of one request, as the providers' own
	maxBodies = 8 * maxBody

	maxSessionBodies = 3 * maxBody // the largest request; no session has more at a time, so that others find room
)

// New returns a gateway without settings.
func New(cfg Config) *Gateway {
	if cfg.Getenv == nil {
		cfg.Getenv = os.Getenv
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Transport == nil {
		cfg.Transport = newTransport()
	}
	cfg.BackoffMin = cmp.Or(cfg.BackoffMin, 500*time.Millisecond)
	cfg.BackoffMax = cmp.Or(cfg.BackoffMax, 30*time.Second)
	cfg.Attempts = cmp.Or(cfg.Attempts, 8)
	return &Gateway{
		cfg: cfg, bodies: semaphore.NewWeighted(maxBodies),
		keys: &keys{getenv: cfg.Getenv, editor: map[string]string{}, printed: map[string]string{}},
		// A redirect is not followed: the key would go along.
		client: &http.Client{Transport: cfg.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  10 * time.Minute, // of a long answer that is not streamed
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    16,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // events are to come one by one
	}
}

// Close closes the connections that are idle.
func (g *Gateway) Close() { g.client.CloseIdleConnections() }

// Configure takes new settings; calls under way go on by the old ones.
func (g *Gateway) Configure(s Settings) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settings = s
}

// SetKey takes a key that the editor keeps, for the model of that name or for "anthropic" or "openai"; an empty one forgets it.
func (g *Gateway) SetKey(name, key string) error { return g.keys.set(name, key) }

// Settings are those in use: the user's, with the model that needs none where there is a key for it.
func (g *Gateway) Settings() Settings {
	g.mu.Lock()
	s := g.settings
	g.mu.Unlock()
	return s.withDefault(g.cfg.Getenv)
}

// Ready says why a model cannot be used yet; nil: it can, as far as is known without asking anybody.
func (g *Gateway) Ready(m Model) error { return g.keys.ready(m) }

// DefaultModel is the one that is used unless a prompt names another: the setting's, else the first that has a key, else the first.
func (s Settings) DefaultModel(ready func(Model) error) (Model, bool) {
	if i := slices.IndexFunc(s.Models, func(m Model) bool { return m.Name == s.Default }); i >= 0 {
		return s.Models[i], true
	}
	for _, m := range s.Models {
		if ready(m) == nil {
			return m, true
		}
	}
	if len(s.Models) > 0 {
		return s.Models[0], true
	}
	return Model{}, false
}

// hold reserves memory for a request's body, waiting for the session's others, and then for other sessions', to be done with theirs.
func (a *Account) hold(ctx context.Context, bytes int64) (release func(), err error) {
	if err := a.bodies.Acquire(ctx, bytes); err != nil {
		return nil, err
	}
	if err := a.gateway.bodies.Acquire(ctx, bytes); err != nil {
		a.bodies.Release(bytes)
		return nil, err
	}
	return func() {
		a.gateway.bodies.Release(bytes)
		a.bodies.Release(bytes)
	}, nil
}
