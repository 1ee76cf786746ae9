package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/fakellm"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/jsonrpc/transcript"
)

// modelKey is a secret that must be nowhere but in requests to the model's server.
const modelKey = "sk-e2e-7f3c9a1be5d24c60"

// keyVariable names the variable of the host that has it.
const keyVariable = "SKETCH_E2E_MODEL_KEY"

// agentPatience bounds each wait; none should need it.
const agentPatience = 2 * time.Minute

// models is a scripted server for both APIs.
type models struct {
	*fakellm.Server
	url string
}

// newModels serves scenarios: the first is the model "script", and files come with their own names.
func newModels(t *testing.T, scenario *fakellm.Scenario) models {
	t.Helper()
	m := models{Server: fakellm.New("script", scenario)}
	m.Key = modelKey
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

func parseScenario(t *testing.T, text string) *fakellm.Scenario {
	t.Helper()
	s, err := fakellm.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// settings are an editor's, for both APIs.
func (m models) settings(more ...string) map[string]any {
	settings := map[string]any{
		"baseImage": testBase(),
		"models": []any{
			map[string]any{
				"name": "claude", "provider": "anthropic", "model": "script", "baseUrl": m.url, "apiKeyEnv": keyVariable,
				"contextWindow": 200000, "maxOutputTokens": 8000, "prices": map[string]any{"input": 3, "output": 15, "cacheRead": 0.3, "cacheWrite": 3.75},
			},
			map[string]any{"name": "gpt", "provider": "openai", "model": "script", "baseUrl": m.url + "/v1", "apiKeyEnv": keyVariable, "contextWindow": 100000},
		},
	}
	for i := 0; i < len(more); i += 2 {
		settings[more[i]] = json.RawMessage(more[i+1])
	}
	return settings
}

// fine fails the test if a request was not what the scenario and the API want, or if steps are left.
func (m models) fine(t *testing.T) {
	t.Helper()
	for _, fault := range m.Faults() {
		t.Errorf("model's server: %v", fault)
	}
	if left := m.Left("script"); left > 0 {
		t.Errorf("%d steps of the scenario were not asked for", left)
	}
}

// hostRepo makes a repository of files, and commits them.
func hostRepo(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "greet")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hostGit(t, dir, "init", "-q", "-b", "main")
	hostGit(t, dir, "config", "user.name", "Ada")
	hostGit(t, dir, "config", "user.email", "ada@example.com")
	hostGit(t, dir, "add", ".")
	hostGit(t, dir, "commit", "-qm", "first")
	return dir
}

func hostGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

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
	c.editorProcess = startEditorWith(t, []string{keyVariable + "=" + modelKey}, "--state-dir", c.state, "--log-level", "debug")
	go c.listen() // ends with the process, which the cleanup of startEditor ends
	t.Cleanup(func() {
		if out, err := command(t, "--state-dir", c.state, "prune", "--all", "--keep-images").CombinedOutput(); err != nil {
			t.Errorf("remove sessions: %v\n%s", err, out)
		}
	})
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

// inside runs a command in a container, as the engine does.
func inside(t *testing.T, container string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", append([]string{"exec", "-u", "root", container}, args...)...).CombinedOutput()
	if err != nil {
		t.Logf("docker exec %v: %v", args, err)
	}
	return string(out)
}

// demoRepo is the repository of `make demo-agent`.
func demoRepo(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	paths, err := filepath.Glob("../../scripts/demo-agent/repo/*")
	if err != nil || len(paths) < 4 {
		t.Fatalf("found %v: %v", paths, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if name == "gitignore" {
			name = ".gitignore"
		}
		files[name] = strings.ReplaceAll(string(data), "BASE_IMAGE", testBase())
	}
	return files
}

// TestAgentFixesATestAndShowsTheServer is the main job, by the scenario of `make demo-agent`: a real failing test in a real container, a web server whose port is
// told, a commit that is a branch on the host, and a key that is nowhere.
func TestAgentFixesATestAndShowsTheServer(t *testing.T) {
	t.Parallel()
	scenario, err := fakellm.ParseFile("../../scripts/demo-agent/scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	models := newModels(t, scenario)
	repo := hostRepo(t, demoRepo(t))
	c := newClient(t, repo, models.settings())
	var session jsonrpc.Session
	c.must("sketch.start", map[string]any{}, &session)
	hear(c, "idle agent", "$/sketch/agent", func(s jsonrpc.AgentStatus) bool { return s.State == jsonrpc.AgentIdle && s.Turn == 0 })

	status := c.turn(map[string]any{"text": "Fix the failing test, then show me the server."})
	if status.Outcome != jsonrpc.TurnDone || status.Usage.OutputTokens == 0 || status.Usage.Dollars == 0 || !status.Usage.Priced || len(status.Uncommitted) > 0 {
		t.Errorf("end of the turn: %+v", status)
	}
	models.fine(t)
	if len(status.Todo) != 4 {
		t.Errorf("plan: %+v", status.Todo)
	}
	hear(c, "toast of the port", "window/showMessageRequest", func(m struct{ Message string }) bool { return strings.HasPrefix(m.Message, "Port 8080") })
	hear(c, "toast of the turn's end", "window/showMessage", func(m struct{ Message string }) bool { return strings.HasPrefix(m.Message, "Agent done") })
	ports := hear(c, "forward of 8080", "$/sketch/ports", func(p jsonrpc.PortsNotification) bool {
		return slices.ContainsFunc(p.Ports, func(p jsonrpc.Port) bool { return p.Number == 8080 && p.URL != "" })
	})
	if page := fetch(t, ports.Ports[0].URL+"/?name=Grace"); !strings.Contains(page, "<h1>Hello, Grace!</h1>") {
		t.Errorf("the server says %q", page)
	}
	branch := hear(c, "branch on the host", "$/sketch/branch", func(b jsonrpc.Branch) bool { return b.Exists && b.Ahead == 1 })
	if branch.Name != "sketch/fix-failing-test-show-server" {
		t.Errorf("branch %q", branch.Name)
	}
	log := hostGit(t, repo, "log", "-1", "--format=%an <%ae>%n%B", branch.Name)
	if !strings.HasPrefix(log, "Ada <ada@example.com>\ngreet: say the name") || !strings.Contains(log, "Co-authored-by: Sketch <agent@sketch-ide>") {
		t.Errorf("commit: %s", log)
	}
	if diff := hostGit(t, repo, "diff", "main", branch.Name, "--", "greet.go"); !strings.Contains(diff, `+	return "Hello, " + name + "!"`) {
		t.Errorf("diff: %s", diff)
	}
	keyIsNowhere(t, c, session.Container, repo)
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: agentPatience}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// keyIsNowhere looks for the key in everything that the container is, has and says, and in all that this machine keeps of the session.
func keyIsNowhere(t *testing.T, c *client, container, repo string) {
	t.Helper()
	// That the search would find it is shown by a word that is there.
	search := func(word string) string {
		return inside(t, container, "sh", "-c", `grep -rlaF --exclude-dir=proc --exclude-dir=sys --exclude-dir=share -e "$0" / 2>/dev/null; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr "\0" "\n" | grep -F -e "$0"; true`, word)
	}
	if found := search("greet: say the name"); !strings.Contains(found, "/") {
		t.Errorf("the search inside finds nothing: %q", found)
	}
	if found := search(modelKey); strings.TrimSpace(strings.ReplaceAll(found, modelKey, "")) != "" {
		t.Errorf("the key is inside:\n%s", found)
	}
	for _, args := range [][]string{{"inspect", container}, {"logs", container}, {"diff", container}, {"history", "--no-trunc", imageOf(t, container)}} {
		out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput()
		if err != nil || bytes.Contains(out, []byte(modelKey)) {
			t.Errorf("docker %v has the key, or failed: %v", args, err)
		}
	}
	for _, dir := range []string{c.state, repo} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
				return nil // a file that is written anew has another name for a moment
			}
			if err != nil {
				return err
			}
			data, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if bytes.Contains(data, []byte(modelKey)) {
				t.Errorf("the key is in %s", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	c.mu.Lock()
	for _, m := range c.told {
		if bytes.Contains(m.Params, []byte(modelKey)) {
			t.Errorf("the editor was told the key: %s", m.Method)
		}
	}
	c.mu.Unlock()
}

func imageOf(t *testing.T, container string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "inspect", "-f", "{{.Image}}", container).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
