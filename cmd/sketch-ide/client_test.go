package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/jsonrpc/transcript"
)

// agentPatience bounds each wait; none should need it.
const agentPatience = 2 * time.Minute

// client is a rich editor at the real binary: it keeps all that it is told.
type client struct {
	*editorProcess
	state string

	mu      sync.Mutex
	told    []told // guarded by mu
	answers map[string]json.RawMessage
	changed chan struct{} // guarded by mu: closed and replaced with each message
	next    int           // guarded by mu
}

type told struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

func newClient(t *testing.T, folder string, settings map[string]any) *client {
	t.Helper()
	return newClientThat(t, map[string]any{"version": 1, "userSettings": true}, folder, settings)
}

// newClientThat is newClient, which declares something else.
func newClientThat(t *testing.T, declares map[string]any, folder string, settings map[string]any) *client {
	t.Helper()
	c := &client{state: filepath.Join(t.TempDir(), "state"), answers: map[string]json.RawMessage{}, changed: make(chan struct{})}
	t.Cleanup(func() { // after the end of the process, which its sessions are left alone for
		if out, err := command(t, "--state-dir", c.state, "prune", "--all", "--keep-images").CombinedOutput(); err != nil {
			t.Errorf("remove sessions: %v\n%s", err, out)
		}
	})
	c.editorProcess = startEditorWith(t, []string{keyVariable + "=" + modelKey}, "--state-dir", c.state, "--log-level", "debug")
	go c.listen() // ends with the process, which the cleanup of startEditor ends
	c.must("initialize", map[string]any{
		"rootUri": "file://" + folder, "initializationOptions": settings, "clientInfo": map[string]any{"name": "Visual Studio Code"},
		"capabilities": map[string]any{"experimental": map[string]any{"sketch": declares}},
	}, nil)
	c.notify("initialized", map[string]any{})
	return c
}

func (c *client) listen() {
	for frame := range c.frames {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Result json.RawMessage `json:"result"`
			Error  json.RawMessage `json:"error"`
			told
		}
		if err := json.Unmarshal(frame, &m); err != nil {
			c.t.Errorf("not a message: %v", err)
			continue
		}
		c.mu.Lock()
		switch {
		case m.Method != "":
			c.told = append(c.told, m.told)
		case m.Error != nil:
			c.answers[string(m.ID)] = json.RawMessage(`{"error":` + string(m.Error) + `}`)
		default:
			c.answers[string(m.ID)] = json.RawMessage(`{"result":` + string(m.Result) + `}`)
		}
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
	}
}

func (c *client) post(message map[string]any) {
	c.t.Helper()
	message["jsonrpc"] = "2.0"
	body, err := json.Marshal(message)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.Send(transcript.Frame(string(body))); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) notify(method string, params any) {
	c.t.Helper()
	c.post(map[string]any{"method": method, "params": params})
}

// ask sends a request and returns its result or its error.
func (c *client) ask(method string, params any) (result json.RawMessage, failure *jsonrpc.ErrorData) {
	c.t.Helper()
	c.mu.Lock()
	c.next++
	id := fmt.Sprint(c.next)
	c.mu.Unlock()
	c.post(map[string]any{"id": json.RawMessage(id), "method": method, "params": params})
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Message string            `json:"message"`
			Data    jsonrpc.ErrorData `json:"data"`
		} `json:"error"`
	}
	c.await("answer to "+method, func() bool { return c.answers[id] != nil })
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := json.Unmarshal(c.answers[id], &answer); err != nil {
		c.t.Fatal(err)
	}
	if answer.Error != nil {
		data := answer.Error.Data
		data.Message = answer.Error.Message
		return nil, &data
	}
	return answer.Result, nil
}

// must is ask for what has to succeed.
func (c *client) must(method string, params, result any) {
	c.t.Helper()
	raw, failure := c.ask(method, params)
	if failure != nil {
		c.t.Fatalf("%s: %+v", method, *failure)
	}
	if result != nil {
		if err := json.Unmarshal(raw, result); err != nil {
			c.t.Fatal(err)
		}
	}
}

// await waits until ok, which is called with the lock held.
func (c *client) await(what string, ok func() bool) {
	c.t.Helper()
	deadline := time.After(agentPatience)
	for {
		c.mu.Lock()
		done, changed := ok(), c.changed
		c.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			c.t.Fatalf("not seen within %v: %s\n%s", agentPatience, what, c.lastTold())
		}
	}
}

func (c *client) lastTold() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, m := range c.told[max(0, len(c.told)-15):] {
		fmt.Fprintf(&b, "%s %.600s\n", m.Method, m.Params)
	}
	return b.String()
}

// latest is the last of what was told by a method that satisfies ok, decoded.
func latest[T any](c *client, method string, ok func(T) bool) (T, bool) {
	for _, m := range slices.Backward(c.told) {
		if m.Method != method {
			continue
		}
		var value T
		if err := json.Unmarshal(m.Params, &value); err != nil {
			c.t.Errorf("%s: %v", method, err)
		}
		if ok(value) {
			return value, true
		}
	}
	var zero T
	return zero, false
}

// hear waits for something that is told.
func hear[T any](c *client, what, method string, ok func(T) bool) T {
	c.t.Helper()
	var value T
	c.await(what, func() (heard bool) {
		value, heard = latest(c, method, ok)
		return heard
	})
	return value
}

// turn sends a prompt and waits for the end of its turn.
func (c *client) turn(prompt map[string]any) jsonrpc.AgentStatus {
	c.t.Helper()
	var accepted jsonrpc.PromptResult
	c.must("sketch.prompt", prompt, &accepted)
	return c.turnEnd(accepted.Turn)
}

func (c *client) turnEnd(turn int) jsonrpc.AgentStatus {
	c.t.Helper()
	return hear(c, fmt.Sprintf("end of turn %d", turn), "$/sketch/agent", func(s jsonrpc.AgentStatus) bool {
		return s.Turn >= turn && s.State == jsonrpc.AgentIdle
	})
}
