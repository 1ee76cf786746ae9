package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/mcpclient"
	"github.com/sketch-ide/sketch-ide/agent/tools/internal/picture"
)

// MCPServer is a server of the Model Context Protocol: a command to start in the container, or a URL. Values of Env and Headers may have
// ${NAME}, which is taken from the environment of commands.
type MCPServer struct {
	Name    string            `json:"name"`              // begins the names of its tools
	Command string            `json:"command,omitempty"` // speaks on its standard streams
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	URL     string            `json:"url,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

const (
	maxServers  = 20
	firstTools  = 10 * time.Second // for how long the tools of a new server are awaited
	maxToolName = 64               // of models' APIs
)

// servers are the configured MCP servers and their connections.
type servers struct {
	mu      sync.Mutex // guards what follows
	entries []*server
	closed  bool
}

type server struct {
	config mcpclient.Server
	client *mcpclient.Client
	end    func() // ends the connection and waits
	noted  bool   // that it is not connected was told
	first  <-chan time.Time
}

// set reconciles what is there with what is wanted: removals first.
func (s *servers) set(cfg Config, wanted []MCPServer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	var configs []mcpclient.Server
	for _, w := range wanted[:min(len(wanted), maxServers)] {
		if c := (mcpclient.Server{Name: w.Name, Command: w.Command, Args: w.Args, Env: w.Env, URL: w.URL, Headers: w.Headers}); !slices.ContainsFunc(configs, c.SameName) {
			configs = append(configs, c)
		}
	}
	old := s.entries
	s.entries = nil
	var ending sync.WaitGroup
	for _, entry := range old {
		if slices.ContainsFunc(configs, entry.config.Equal) {
			s.entries = append(s.entries, entry)
			continue
		}
		ending.Go(entry.end)
	}
	ending.Wait()
	for _, config := range configs {
		if !slices.ContainsFunc(s.entries, func(e *server) bool { return e.config.Equal(config) }) {
			s.entries = append(s.entries, connect(cfg, config))
		}
	}
	slices.SortStableFunc(s.entries, func(a, b *server) int { return strings.Compare(a.config.Name, b.config.Name) })
}

func connect(cfg Config, config mcpclient.Server) *server {
	client := mcpclient.New(mcpclient.Config{Server: config, Dir: cfg.Dir, Env: cfg.Env, Version: cfg.Version, Log: cfg.Log})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	// Ended and waited for by end, which servers.set or servers.close calls.
	go func() {
		defer close(ended)
		client.Run(ctx)
	}()
	return &server{config: config, client: client, first: time.After(firstTools), end: func() { cancel(); <-ended }}
}

func (s *servers) all() []*server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.entries)
}

// tools returns the tools of all servers, with the servers' names before theirs.
func (s *servers) tools(ctx context.Context) []Tool {
	var all []Tool
	taken := make(map[string]bool)
	for _, entry := range s.all() {
		entry.client.WaitFirst(ctx, entry.first)
		known, _ := entry.client.State()
		for _, tool := range known {
			name := toolName(entry.config.Name, tool.Name)
			if !taken[name] {
				taken[name] = true
				all = append(all, &mcpTool{Spec{name, tool.Description, tool.Schema}, tool.Name, entry})
			}
		}
	}
	return all
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)

// toolName makes a name that models' APIs take. One that is too long is cut and told apart by a hash.
func toolName(server, tool string) string {
	name := notInNames.ReplaceAllString(server+"_"+tool, "_")
	if len(name) > maxToolName {
		hash := fnv.New32a()
		hash.Write([]byte(name)) // never fails
		name = fmt.Sprintf("%s_%08x", name[:maxToolName-9], hash.Sum32())
	}
	return name
}

// note tells once of each server that it is not connected.
func (s *servers) note() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, entry := range s.entries {
		_, err := entry.client.State()
		if err == nil || entry.client.Connecting() {
			entry.noted = entry.noted && err != nil
			continue
		}
		if !entry.noted {
			entry.noted = true
			fmt.Fprintf(&b, "MCP server %s is not connected: %s.\n", entry.config.Name, oneLine(bound(err.Error(), 1000), "unknown"))
		}
	}
	return b.String()
}

func (s *servers) close() {
	s.mu.Lock()
	s.closed = true
	entries := s.entries
	s.entries = nil
	s.mu.Unlock()
	var ending sync.WaitGroup
	for _, entry := range entries {
		ending.Go(entry.end)
	}
	ending.Wait()
}

// mcpTool is a tool of a server.
type mcpTool struct {
	spec   Spec
	name   string // as the server calls it
	server *server
}

// Spec implements [Tool].
func (t *mcpTool) Spec() Spec { return t.spec }

// Title implements [Tool]: the first text in the input, mostly what the call is about.
func (t *mcpTool) Title(input json.RawMessage) string {
	var fields map[string]any
	if json.Unmarshal(input, &fields) == nil {
		for _, name := range []string{"title", "query", "path", "url", "name", "command", "text"} {
			if text, ok := fields[name].(string); ok {
				return oneLine(text, t.spec.Name)
			}
		}
	}
	return t.spec.Name
}

// Run implements [Tool].
func (t *mcpTool) Run(ctx context.Context, call Call) (Result, error) {
	input := call.Input
	if len(input) > maxInput {
		return failed(fmt.Sprintf("Nothing was done: the input has more than %d MiB.", maxInput>>20)), nil
	}
	if text := strings.TrimSpace(string(input)); text == "" || text == "null" {
		input = json.RawMessage("{}")
	}
	var fields map[string]any
	if err := json.Unmarshal(input, &fields); err != nil {
		return failed(fmt.Sprintf("Nothing was done: the input is no JSON object: %v.", err)), nil
	}
	answer, err := t.server.client.Call(ctx, t.name, input)
	switch {
	case ctx.Err() != nil:
		return Result{}, ctx.Err()
	case errors.Is(err, mcpclient.ErrNotConnected):
		return failed(fmt.Sprintf("Nothing was done: %v. It is tried again; go on without it, or call later.", err)), nil
	case err != nil:
		return failed(fmt.Sprintf("The MCP server %s did not answer the call: %v.", t.server.config.Name, err)), nil
	}
	result := Result{Text: answer.Text, Failed: answer.Failed}
	for _, data := range answer.Images[:min(len(answer.Images), maxImages)] {
		result.addImage(data)
	}
	if result.Text == "" {
		result.Text = "[no text]"
	}
	return result, nil
}

// addImage adds an image in a form that models take, or says why it cannot.
func (r *Result) addImage(data []byte) {
	p, err := picture.Fit(data)
	if err != nil {
		r.Text += fmt.Sprintf("\n[an image that cannot be shown: %v]", err)
		return
	}
	r.Images = append(r.Images, Image{p.MIMEType, p.Data})
}
