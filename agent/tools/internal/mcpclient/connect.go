package mcpclient

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/proc"
)

// connect makes a session. end releases what it needs, after the session is closed.
func (c *Client) connect(ctx context.Context) (session *mcp.ClientSession, end func(), err error) {
	if c.cfg.Server.Command != "" {
		return c.start(ctx)
	}
	if c.cfg.Server.URL == "" {
		return nil, nil, errors.New("neither a command nor a URL is configured")
	}
	target, err := url.Parse(c.cfg.Server.URL)
	if err != nil || target.Scheme != "http" && target.Scheme != "https" {
		return nil, nil, fmt.Errorf("%q is no http URL", c.cfg.Server.URL)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client := &http.Client{Transport: headers{transport, c.expanded(c.cfg.Server.Headers)}}
	session, err = c.client().Connect(ctx, &mcp.StreamableClientTransport{Endpoint: c.cfg.Server.URL, HTTPClient: client}, nil)
	if err != nil && ctx.Err() == nil {
		// Servers of before 2025 speak the older transport only.
		var older error
		if session, older = c.client().Connect(ctx, &mcp.SSEClientTransport{Endpoint: c.cfg.Server.URL, HTTPClient: client}, nil); older == nil {
			err = nil
		}
	}
	if err != nil {
		transport.CloseIdleConnections()
		return nil, nil, fmt.Errorf("connect to %s: %w", target.Redacted(), err)
	}
	return session, transport.CloseIdleConnections, nil
}

func (c *Client) client() *mcp.Client {
	return mcp.NewClient(&mcp.Implementation{Name: "sketch-ide", Version: c.cfg.Version}, &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{}, // no roots: a server's working directory is the workspace
		Logger:       c.cfg.Log.With("server", c.cfg.Server.Name), KeepAlive: keepAlive, KeepAliveFailureThreshold: 4,
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) {
			select {
			case c.relist <- struct{}{}:
			default: // it will be listed anyway
			}
		},
	})
}

// start starts the server's process, in a process group of its own, so that what it starts ends with it.
func (c *Client) start(ctx context.Context) (session *mcp.ClientSession, end func(), err error) {
	s := c.cfg.Server
	stderr := &lineLog{log: c.cfg.Log.With("server", s.Name)}
	cmd := &exec.Cmd{
		Path: c.look(s.Command), Args: append([]string{s.Command}, s.Args...), Dir: c.cfg.Dir, Env: c.environ(), Stderr: stderr,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true}, WaitDelay: time.Second, // whoever holds its standard error is not waited for
	}
	session, err = c.client().Connect(ctx, &mcp.CommandTransport{Command: cmd, TerminateDuration: time.Second}, nil)
	end = func() {
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // mostly nobody is left
		}
	}
	if err != nil {
		end()
		return nil, nil, fmt.Errorf("start %s: %w%s", s.Command, err, stderr.said())
	}
	return session, end, nil
}

// look finds a command on the PATH of the surroundings, or returns it as it is, for an error that names it.
func (c *Client) look(command string) string {
	if strings.Contains(command, "/") {
		if !filepath.IsAbs(command) {
			return filepath.Join(c.cfg.Dir, command)
		}
		return command
	}
	return cmp.Or(proc.Find(c.cfg.Env, command), command)
}

func (c *Client) getenv(name string) string { return proc.Getenv(c.cfg.Env, name) }

func (c *Client) expanded(values map[string]string) map[string]string {
	all := make(map[string]string, len(values))
	for name, value := range values {
		all[name] = expand(value, c.getenv)
	}
	return all
}

// expand puts in the values of ${NAME}. A lone $ is itself: passwords have some.
func expand(text string, getenv func(string) string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		name, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(before + getenv(name))
		text = rest
	}
}

func (c *Client) environ() []string {
	env := c.cfg.Env
	if env == nil {
		env = os.Environ()
	}
	env = append([]string{}, env...)
	for name, value := range c.expanded(c.cfg.Server.Env) {
		env = append(env, name+"="+value)
	}
	return env
}

// headers adds headers to each request.
type headers struct {
	http.RoundTripper
	add map[string]string
}

// RoundTrip implements [http.RoundTripper].
func (h headers) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	for name, value := range h.add {
		req.Header.Set(name, value)
	}
	return h.RoundTripper.RoundTrip(req)
}

const (
	maxLogLine = 1000
	keptLines  = 5
)

// lineLog logs what a server writes to its standard error, line by line, and keeps the last lines for errors.
type lineLog struct {
	log *slog.Logger

	mu   sync.Mutex // guards what follows
	line []byte
	last []string
}

// Write never fails.
func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		l.line = append(l.line, line[:min(len(line), maxLogLine-min(len(l.line), maxLogLine))]...)
		if !whole {
			return n, nil
		}
		text := strings.ToValidUTF8(string(l.line), "\uFFFD")
		l.log.Info("MCP server says", "line", text)
		l.last = append(l.last[max(0, len(l.last)+1-keptLines):], text)
		l.line, p = l.line[:0], rest
	}
}

// said is the end of an error: the last that the server said.
func (l *lineLog) said() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.last) == 0 {
		return ""
	}
	return "; it said: " + strings.Join(l.last, " / ")
}
