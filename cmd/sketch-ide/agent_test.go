package main

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/internal/fakellm"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

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
