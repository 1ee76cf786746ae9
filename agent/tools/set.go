package tools

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/browser"
	"github.com/sketch-ide/sketch-ide/agent/tools/internal/files"
	"github.com/sketch-ide/sketch-ide/agent/tools/internal/shell"
	"github.com/sketch-ide/sketch-ide/ports"
)

// Config is what tools need of their surroundings.
type Config struct {
	Dir   string   // the workspace: relative paths and commands begin there
	Env   []string // environment of commands; nil: that of this process
	State string   // directory for long outputs and screenshots; empty: nothing is kept

	// Ask asks the user, and blocks until there is an answer or ctx ends. nil: nobody is there to answer, and there is no tool for it.
	Ask func(ctx context.Context, question string, options []string) (answer string, err error)
	// Todo is told the whole plan whenever it changes. May be nil.
	Todo func([]TodoItem)
	// Ports returns what listens; nil: there is no tool for it.
	Ports func(ctx context.Context) (ports.Snapshot, error)
	// Busy marks that a command is alive until done is called; may be nil.
	Busy func() (done func())

	// BrowserURL is the DevTools address (ws:// or http://) of a browser beside the container; empty: a Chromium in it.
	BrowserURL string

	Limits  Limits
	Version string       // of this program, told to MCP servers
	Log     *slog.Logger // nil discards
}

// Limits are for how long commands may run. Zero values take the defaults.
type Limits struct {
	Fast       time.Duration // of a command; 1 minute
	Slow       time.Duration // of one that the model calls slow; 15 minutes
	Background time.Duration // of a job; 24 hours
	Other      time.Duration // of anything else that runs; 2 minutes
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&l.Fast, time.Minute}, {&l.Slow, 15 * time.Minute}, {&l.Background, 24 * time.Hour}, {&l.Other, 2 * time.Minute}} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	return l
}

// Set is the tools of one session. It is safe for concurrent use.
type Set struct {
	cfg   Config
	shell *shell.Shell
	files *files.Files
	own   []Tool
	mcp   servers

	nested nested

	browser     *browser.Browser
	screenshots atomic.Int64 // that were taken
}

// New returns the tools. Close has to be called.
func New(cfg Config) *Set {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Limits = cfg.Limits.withDefaults()
	s := &Set{cfg: cfg, nested: nested{dir: cfg.Dir, told: make(map[string]bool)}}
	spool := cfg.State
	if spool != "" {
		spool = filepath.Join(spool, "outputs")
	}
	s.shell = shell.New(shell.Config{Dir: cfg.Dir, Env: cfg.Env, Spool: spool, Busy: cfg.Busy, Log: cfg.Log})
	s.files = files.New(files.Config{Dir: cfg.Dir, Env: cfg.Env})
	s.browser = browser.New(browser.Config{URL: cfg.BrowserURL, Env: cfg.Env, Log: cfg.Log})
	s.own = s.ownTools()
	return s
}

func (s *Set) ownTools() []Tool {
	all := []Tool{s.bash(), s.jobs(), s.readFile(), s.listFiles(), s.search(), s.patch(), s.todo()}
	all = append(append(all, s.web()...), s.goReview())
	if s.cfg.Ports != nil {
		all = append(all, s.ports())
	}
	if s.cfg.Ask != nil {
		all = append(all, s.ask())
	}
	return append(all, done())
}

// Tools returns all tools there are now. For MCP servers that are connecting for the first time it waits a few seconds, until ctx ends at most.
func (s *Set) Tools(ctx context.Context) []Tool {
	var all []Tool
	for _, tool := range slices.Concat(s.own, s.mcp.tools(ctx)) {
		all = append(all, s.bounded(tool))
	}
	return all
}

// SetBrowserURL makes this the DevTools address of the browser; empty: a Chromium in the container. A browser at another address is let go.
func (s *Set) SetBrowserURL(url string) { s.browser.SetURL(url) }

// SetMCP makes these the MCP servers: lets go of those that are not among them, which may take two seconds, and begins to connect to new ones.
func (s *Set) SetMCP(all []MCPServer) { s.mcp.set(s.cfg, all) }

func (s *Set) bounded(tool Tool) Tool {
	return bounded{tool, func(name string, panicked any) {
		s.cfg.Log.Error("tool panicked", "tool", name, "panic", panicked, "stack", string(debug.Stack()))
	}}
}

// JobsNote says which background jobs ended since the last call, and which MCP servers are not to be had, one line each; empty: none.
func (s *Set) JobsNote() string {
	var b strings.Builder
	for _, job := range s.shell.Ended() {
		fmt.Fprintf(&b, "Background job %d (%s) %s.\n", job.Number, oneLine(job.Command, "?"), howEnded(job))
	}
	return b.String() + s.mcp.note()
}

// Close ends background jobs, MCP servers and whatever else runs.
func (s *Set) Close() {
	s.mcp.close()
	s.browser.Close()
	s.shell.Close()
}
