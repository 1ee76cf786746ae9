package container

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/docker/docker/api/types/system"
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
	Network string                  // name of the sessions' bridge; "" = DefaultNetwork
	Owner   string                  // who makes things, for LabelOwner: one engine may serve several users or folders of state
	Log     *slog.Logger            // nil = discard
}

func (o Options) withDefaults() Options {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Network == "" {
		o.Network = DefaultNetwork
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Engine is a connection to one container engine. It is safe for concurrent use.
type Engine struct {
	api     client.APIClient
	host    string
	origin  string
	local   bool
	remote  bool
	arch    string
	memory  int64 // of the engine's machine, bytes
	version string
	owner   string
	network string
	release string
	limits  bool          // it enforces those of memory and processes
	sharing chan struct{} // capacity 1: held while an image with shared files is looked for or made
	log     *slog.Logger
}

// Connect finds an engine, checks that it answers, and learns what it is. The error is a *NoEngineError, a
// *ContextError, or wraps ErrHostUnsupported.
func Connect(ctx context.Context, opts Options) (*Engine, error) {
	opts = opts.withDefaults()
	candidates, err := endpoints(opts)
	if err != nil {
		return nil, err
	}
	var tried []Attempt
	for _, ep := range candidates {
		e, err := connect(ctx, ep, opts)
		if err == nil {
			return e, nil
		}
		if ctx.Err() != nil {
			return nil, wrap(ctx, "connect to container engine", err)
		}
		tried = append(tried, Attempt{Host: ep.host, Origin: ep.origin, Err: err})
	}
	return nil, noEngine(tried)
}

func connect(ctx context.Context, ep endpoint, opts Options) (*Engine, error) {
	timeout := opts.Timeout
	if ep.ssh != nil {
		timeout = max(timeout, sshTimeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := ep.try(ctx); err != nil {
		return nil, err
	}
	api, err := ep.client()
	if err != nil {
		return nil, err
	}
	info, err := api.Info(ctx)
	if err != nil {
		api.Close()
		if failed, ok := errors.AsType[*SSHError](err); ok {
			return nil, failed
		}
		return nil, fmt.Errorf("ask for its description: %w", err)
	}
	if info.OSType != "linux" {
		api.Close()
		return nil, fmt.Errorf("runs %s containers, Linux containers are needed", info.OSType)
	}
	return newEngine(api, ep, info, opts), nil
}

// sshTimeout is how long a login may take, and the docker command there.
const sshTimeout = 20 * time.Second

// try makes one connection without the client, whose own errors of connecting lose their cause. That is of no use for
// the ssh command, which tells with the first answer whether it leads anywhere.
func (ep endpoint) try(ctx context.Context) error {
	if ep.ssh != nil {
		return nil
	}
	conn, err := ep.dial(ctx)
	if err != nil {
		return plainDialError(err)
	}
	return conn.Close()
}

func newEngine(api client.APIClient, ep endpoint, info system.Info, opts Options) *Engine {
	return &Engine{
		api:     api,
		host:    ep.host,
		origin:  ep.origin,
		local:   isLocal(ep, info),
		remote:  !ep.unix(),
		arch:    goArch(info.Architecture),
		memory:  info.MemTotal,
		version: opts.Version,
		owner:   opts.Owner,
		network: opts.Network,
		release: info.ServerVersion,
		limits:  info.MemoryLimit && info.PidsLimit,
		sharing: make(chan struct{}, 1),
		log:     opts.Log,
	}
}

// client makes the engine's client over ep.dial: one dialer for plain and hijacked connections, with and without TLS,
// that honours contexts.
func (ep endpoint) client() (*client.Client, error) {
	transport := &http.Transport{MaxIdleConns: 6, IdleConnTimeout: 30 * time.Second}
	httpClient := &http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}
	api, err := client.NewClientWithOpts(
		client.WithHTTPClient(httpClient),
		client.WithHost(ep.clientHost()),
		client.WithDialContext(ep.dialContext),
		client.WithScheme("http"), // TLS is the dialer's
		client.WithAPIVersionNegotiation(),
		client.WithUserAgent("sketch-ide"),
	)
	if err != nil {
		return nil, fmt.Errorf("make engine client: %w", err)
	}
	transport.Proxy = nil // WithHost set the environment's, which is not meant for engines
	httpClient.Transport = answerNoter{httpClient.Transport}
	return api, nil
}

// clientHost is what the client is told; it knows no ssh, and dials by dialContext whatever it is told.
func (ep endpoint) clientHost() string {
	if ep.ssh != nil {
		return "tcp://engine.invalid:2375"
	}
	return ep.host
}

// Close lets the idle connections go. Streams that are open live on.
func (e *Engine) Close() error { return e.api.Close() }

// Local tells whether the engine's containers share this machine's kernel and network, so that their own addresses
// can be dialled.
func (e *Engine) Local() bool { return e.local }

// Remote tells whether only the engine's API can be reached, over the network or SSH, so that neither its containers'
// addresses nor the ports that it publishes on its own loopback interface are of use here.
func (e *Engine) Remote() bool { return e.remote }

// Host is the engine's address, such as unix:///var/run/docker.sock.
func (e *Engine) Host() string { return e.host }

// Origin is what named Host: "DOCKER_HOST", a docker context, a well-known socket.
func (e *Engine) Origin() string { return e.origin }

// Arch is the engine's own architecture, in Go's names.
func (e *Engine) Arch() string { return e.arch }

// Release is the engine's version, such as 20.10.24.
func (e *Engine) Release() string { return e.release }

// Limits tells whether the engine enforces limits of memory and processes. Rootless ones without cgroups of version 2 do not.
func (e *Engine) Limits() bool { return e.limits }

// Ping tells whether the engine still answers.
func (e *Engine) Ping(ctx context.Context) error {
	_, err := e.api.Ping(ctx)
	return wrap(ctx, "ping engine", err)
}

// goArch turns the engine's uname-like name of an architecture into Go's.
func goArch(name string) string {
	switch name = strings.ToLower(name); name {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "armv6l", "armv7l", "armhf":
		return "arm"
	case "i386", "i686":
		return "386"
	}
	return name
}
