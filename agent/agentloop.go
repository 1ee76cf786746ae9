//go:build linux

package agent

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/agent/llm"
	"github.com/sketch-ide/sketch-ide/agent/loop"
	"github.com/sketch-ide/sketch-ide/agent/tools"
)

// conversationDir is where, beside the sockets, the agent keeps what a restart goes on with.
const conversationDir = "conversation"

// reachWithin is how long a request to a model waits for the host before people are told that it is away.
const reachWithin = 5 * time.Second

// engineer is the agent's loop and what it needs.
type engineer struct {
	conversation *conversation.Conversation
	transcript   *conversation.Transcript // nil where it could not be opened
	model        *llm.Client
	loop         *loop.Loop
}

// newEngineer reads the transcript and makes the loop that goes on with it. Where the disk does not let it be kept, it goes without.
func (p *inside) newEngineer() *engineer {
	dir := filepath.Join(filepath.Dir(p.cfg.Socket), conversationDir)
	log := p.log.With("part", "loop")
	var history loop.History
	transcript, loaded, err := conversation.Open(dir, history.Take)
	if err != nil {
		log.Error("the conversation is not kept", "err", err)
		transcript, loaded, history = nil, conversation.Loaded{}, loop.History{}
	} else if loaded.Broken > 0 {
		log.Warn("the transcript has lines that make no sense", "lines", loaded.Broken)
	}
	e := &engineer{conversation: conversation.New(transcript, loaded), transcript: transcript}
	e.model = llm.New(llm.Config{Dial: func(ctx context.Context) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, reachWithin)
		defer cancel()
		return p.openLLM(ctx)
	}})
	hooks, err := loop.InstallCommitHooks(filepath.Join(dir, "hooks"))
	env := p.environ()
	if err != nil {
		log.Error("commits get no trailer", "err", err)
	} else {
		env = hooks.Env(env)
	}
	workspace := cmp.Or(p.cfg.Workspace, "/")
	var set *tools.Set
	e.loop = loop.New(loop.Config{
		Conversation: e.conversation, History: &history, Model: e.model, Dir: workspace, State: dir, Env: env, Ports: p.events.Snapshot, Notes: p.git.Note, Log: log,
		Tools: func(h loop.Hooks) loop.Toolset {
			set = tools.New(tools.Config{
				Dir: workspace, Env: env, State: dir, Ask: h.Ask, Todo: h.Todo, Ports: p.events.Snapshot, Busy: p.monitor.Busy,
				Version: version(), Log: p.log.With("part", "tools"),
			})
			return set
		},
		Configured: func(s conversation.Settings) {
			if err := hooks.SetCoAuthor(!s.NoCoAuthor); err != nil {
				log.Error("set trailer of commits", "err", err)
			}
			set.SetBrowserURL(s.BrowserURL)
			set.SetMCP(mcpServers(s.MCP))
		},
	})
	return e
}

func mcpServers(settings []conversation.MCPServer) []tools.MCPServer {
	servers := make([]tools.MCPServer, 0, len(settings))
	for _, s := range settings {
		servers = append(servers, tools.MCPServer(s))
	}
	return servers
}

// run runs the loop until ctx ends.
func (e *engineer) run(ctx context.Context) error {
	defer e.close()
	if err := e.loop.Run(ctx); err != nil {
		return fmt.Errorf("run the agent's loop: %w", err)
	}
	return nil
}

func (e *engineer) close() {
	e.model.Close()
	if e.transcript != nil {
		e.transcript.Close()
	}
}

// environ is the environment of the agent's commands: the image's own, the configuration's, and ours.
func (p *inside) environ() []string {
	env := make(map[string]string)
	for _, entry := range os.Environ() {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			env[name] = value
		}
	}
	maps.Copy(env, p.variables())
	if !slices.Contains(filepath.SplitList(env["PATH"]), BinDir) {
		env["PATH"] += ":" + BinDir
	}
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}
