package mcpclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Timing and bounds of a connection.
const (
	connectTimeout = 60 * time.Second // npx has to fetch what it runs
	callTimeout    = 5 * time.Minute
	waitConnected  = 15 * time.Second // of a call while there is no connection
	firstBackoff   = 500 * time.Millisecond
	lastBackoff    = 60 * time.Second
	keepAlive      = 30 * time.Second
	maxTools       = 128
)

// Server says what to connect to: a command to start, or a URL.
type Server struct {
	Name    string
	Command string
	Args    []string
	Env     map[string]string // over the surroundings' own; ${NAME} is taken from there
	URL     string
	Headers map[string]string // of each request; ${NAME} is taken from the surroundings
}

// Equal reports whether two say the same.
func (s Server) Equal(o Server) bool {
	if s.Name != o.Name || s.Command != o.Command || s.URL != o.URL || len(s.Args) != len(o.Args) {
		return false
	}
	for i := range s.Args {
		if s.Args[i] != o.Args[i] {
			return false
		}
	}
	return maps.Equal(s.Env, o.Env) && maps.Equal(s.Headers, o.Headers)
}

// SameName reports whether two have one name.
func (s Server) SameName(o Server) bool { return s.Name == o.Name }

// Config is what a client needs of its surroundings.
type Config struct {
	Server  Server
	Dir     string   // the workspace
	Env     []string // of started servers, and for ${NAME}
	Version string
	Log     *slog.Logger
	Backoff time.Duration // before the first attempt to connect again; 0: half a second
}

// Client is the connection to one server. It is safe for concurrent use.
type Client struct {
	cfg    Config
	relist chan struct{} // of one: the server says that its tools have changed

	mu      sync.Mutex // guards what follows
	session *mcp.ClientSession
	tools   []Tool
	err     error         // why there is no session
	changed chan struct{} // closed and made anew with each change
}

// ErrNotConnected is wrapped by the error of a call for which there was no connection.
var ErrNotConnected = errors.New("the server is not connected")

var (
	errConnecting = errors.New("still connecting")
	errTimeout    = fmt.Errorf("no connection within %v", connectTimeout)
)

// New returns a client that does nothing before Run.
func New(cfg Config) *Client {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = firstBackoff
	}
	return &Client{cfg: cfg, err: errConnecting, changed: make(chan struct{}), relist: make(chan struct{}, 1)}
}

// State returns the tools that the server last listed, and why there is no connection, if there is none.
func (c *Client) State() ([]Tool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tools, c.err
}

// Connecting reports whether the first attempt has not ended yet.
func (c *Client) Connecting() bool {
	_, err := c.State()
	return errors.Is(err, errConnecting)
}

// WaitFirst waits until the first attempt to connect has ended, the timer fires, or ctx ends.
func (c *Client) WaitFirst(ctx context.Context, timer <-chan time.Time) {
	c.mu.Lock()
	changed, connecting := c.changed, errors.Is(c.err, errConnecting)
	c.mu.Unlock()
	if !connecting {
		return
	}
	select {
	case <-changed:
	case <-timer:
	case <-ctx.Done():
	}
}

func (c *Client) set(session *mcp.ClientSession, tools []Tool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.err = session, err
	if session != nil {
		c.tools = tools
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// Run keeps the connection until ctx ends, and returns once it is closed.
func (c *Client) Run(ctx context.Context) {
	backoff := c.cfg.Backoff
	for ctx.Err() == nil {
		begun := time.Now()
		err := c.serve(ctx)
		c.set(nil, nil, err)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > lastBackoff {
			backoff = c.cfg.Backoff
		}
		c.cfg.Log.Warn("MCP server is not connected", "server", c.cfg.Server.Name, "err", err, "retry", backoff)
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

// serve is one connection, from its making to its end.
func (c *Client) serve(ctx context.Context) error {
	// Transports keep the context that they were made with, so that the time limit must not outlive the making.
	making, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(connectTimeout, func() { cancel(errTimeout) })
	session, end, err := c.connect(making)
	timer.Stop()
	if err != nil {
		if errors.Is(context.Cause(making), errTimeout) {
			return errTimeout
		}
		return err
	}
	defer end()
	over := make(chan error, 1)
	// Ended by the end of the session, which end brings about; waited for below.
	go func() { over <- session.Wait() }()
	defer func() {
		session.Close() // an error means that it was closed already
		if err := <-over; err != nil {
			c.cfg.Log.Debug("MCP session ended", "server", c.cfg.Server.Name, "err", err)
		}
	}()
	for {
		tools, err := c.list(ctx, session)
		if err != nil {
			return err
		}
		c.set(session, tools, nil)
		c.cfg.Log.Info("MCP server is connected", "server", c.cfg.Server.Name, "tools", len(tools))
		select {
		case <-c.relist:
		case err := <-over:
			over <- err // for the one who waits
			return fmt.Errorf("the connection was lost: %w", orClosed(err))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func orClosed(err error) error {
	if err == nil {
		return mcp.ErrConnectionClosed
	}
	return err
}

// list asks for the tools.
func (c *Client) list(ctx context.Context, session *mcp.ClientSession) ([]Tool, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var tools []Tool
	if caps := session.InitializeResult().Capabilities; caps == nil || caps.Tools == nil {
		return nil, nil // prompts or resources only
	}
	for tool, err := range session.Tools(ctx, nil) {
		if err != nil {
			return nil, fmt.Errorf("list tools: %w", err)
		}
		if len(tools) == maxTools {
			c.cfg.Log.Warn("MCP server has too many tools", "server", c.cfg.Server.Name, "kept", maxTools)
			break
		}
		if own, err := newTool(tool); err != nil {
			c.cfg.Log.Warn("tool of an MCP server is left out", "server", c.cfg.Server.Name, "err", err)
		} else {
			tools = append(tools, own)
		}
	}
	return tools, nil
}

// connected returns the session, for which it waits a while.
func (c *Client) connected(ctx context.Context) (*mcp.ClientSession, error) {
	timer := time.NewTimer(waitConnected)
	defer timer.Stop()
	for {
		c.mu.Lock()
		session, err, changed := c.session, c.err, c.changed
		c.mu.Unlock()
		if session != nil {
			return session, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil, fmt.Errorf("%w: %w", ErrNotConnected, err)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
