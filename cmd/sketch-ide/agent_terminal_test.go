package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

// terminal runs sketch-ide as a script does, with models in a settings file and one state directory.
type terminal struct {
	t           *testing.T
	state, repo string
	settings    string
}

func newTerminal(t *testing.T, settings map[string]any) *terminal {
	t.Helper()
	dir := t.TempDir()
	term := &terminal{t: t, state: filepath.Join(dir, "state"), settings: filepath.Join(dir, "settings.json"), repo: hostRepo(t, map[string]string{"README": "hello\n"})}
	term.configure(settings)
	t.Cleanup(func() {
		if out, err := command(t, "--state-dir", term.state, "prune", "--all", "--keep-images").CombinedOutput(); err != nil {
			t.Errorf("remove sessions: %v\n%s", err, out)
		}
	})
	return term
}

func (term *terminal) configure(settings map[string]any) {
	term.t.Helper()
	data, err := json.Marshal(settings)
	if err != nil {
		term.t.Fatal(err)
	}
	if err := os.WriteFile(term.settings, data, 0o600); err != nil {
		term.t.Fatal(err)
	}
}

// run runs a command to its end, with the key in its environment and input on its standard input.
func (term *terminal) run(input string, args ...string) (out string, status int) {
	term.t.Helper()
	cmd := command(term.t, append([]string{"--state-dir", term.state}, args...)...)
	cmd.Env = append(os.Environ(), keyVariable+"="+modelKey)
	cmd.Stdin = strings.NewReader(input)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	if cmd.ProcessState == nil {
		term.t.Fatal(err)
	}
	return both.String(), cmd.ProcessState.ExitCode()
}

func (term *terminal) prompt(text string, more ...string) (out string, status int) {
	term.t.Helper()
	return term.run("", append([]string{"up", term.repo, "--settings", term.settings, "--one-shot", "--prompt", text}, more...)...)
}

// TestAgentInATerminal has a conversation by the OpenAI format: each turn ends in another way, and the exit status tells which. The server is overloaded at
// first, sends byte by byte, and says things that no version knows.
func TestAgentInATerminal(t *testing.T) {
	t.Parallel()
	models := newModels(t, parseScenario(t, `{"steps": [
		{"status": 429, "header": {"Retry-After": "0.01"}},
		{"status": 503},
		{"expect": {"last": ["Write a file"], "tools": ["bash", "ask"]}, "bytes": true,
		 "reply": [{"unknown": true}, {"text": "I write it."}, {"tool": "bash", "input": {"command": "echo from the agent >file && git add file && git commit -qm 'Add a file'"}}]},
		{"reply": [{"tool": "done", "input": {"summary": "The file is there."}}]},
		{"reply": [{"tool": "bash", "input": {"command": "curl -sS -H 'Content-Type: application/json' -d '{\"model\":\"script\",\"messages\":[{\"role\":\"user\",\"content\":\"from another tool\"}]}' $SKETCH_LLM_URL/openai/v1/chat/completions"}}]},
		{"expect": {"last": ["from another tool"]}, "reply": [{"text": "answered another tool"}]},
		{"expect": {"last": ["answered another tool"]}, "reply": [{"tool": "done", "input": {"summary": "It works."}}]},
		{"reply": [{"tool": "ask", "input": {"question": "Which one?", "options": ["this", "that"]}}]},
		{"expect": {"last": ["The user answers: that"]}, "reply": [{"tool": "done", "input": {"summary": "That it is."}}]},
	]}`))
	term := newTerminal(t, models.settings("model", `"gpt"`))

	out, status := term.prompt("Write a file", "--json")
	if status != 0 {
		t.Fatalf("status %d\n%s", status, out)
	}
	var turn, branch upEvent
	said := ""
	for line := range strings.Lines(out) {
		var e upEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("not JSON: %s", line)
			continue
		}
		switch {
		case e.Type == "turn":
			turn = e
		case e.Type == "branch":
			branch = e
		case e.Said != nil && e.Said.Kind == jsonrpc.MessageAssistant && e.Said.Done:
			said += e.Said.Text
		}
	}
	if turn.Agent == nil || turn.Agent.Outcome != jsonrpc.TurnDone || turn.Agent.Usage.Priced || said != "I write it." {
		t.Errorf("turn %+v, said %q", turn.Agent, said)
	}
	if branch.Branch == nil || branch.Branch.Name != "sketch/write-file" || hostGit(t, term.repo, "show", "sketch/write-file:file") != "from the agent" {
		t.Errorf("branch: %+v", branch.Branch)
	}

	// The same session, by a pipe; another tool inside uses the gateway.
	if out, status := term.run("Let another tool ask", "chat", term.repo, "--settings", term.settings); status != 0 || !strings.Contains(out, "done; session:") {
		t.Errorf("chat: status %d\n%s", status, out)
	}
	if out, status := term.prompt("Ask me"); status != int(errQuestion) || !strings.Contains(out, "? Which one?\n  1. this\n  2. that\n") {
		t.Errorf("a question: status %d\n%s", status, out)
	}
	if out, status := term.run("that\n", "chat", term.repo, "--settings", term.settings); status != 0 || !strings.Contains(out, "✓ That it is.") {
		t.Errorf("the answer: status %d\n%s", status, out)
	}
	models.fine(t)

	budget := models.settings("model", `"gpt"`, "budget", `{"session": {"calls": 1}}`)
	term.configure(budget)
	if out, status := term.prompt("Go on"); status != int(errBudget) || !strings.Contains(out, "budget of the session is used up") {
		t.Errorf("budget: status %d\n%s", status, out)
	}
	delete(budget, "models")
	term.configure(budget)
	if out, status := term.prompt("Go on"); status != int(errNoModel) || !strings.Contains(out, "(noModel, 1601)") || strings.Contains(out, modelKey) {
		t.Errorf("no model: status %d\n%s", status, out)
	}
	wrong := models.settings()
	models.Key = "another"
	term.configure(wrong)
	if out, status := term.prompt("Go on"); status != 1 || !strings.Contains(out, "the key was refused") || strings.Contains(out, modelKey) {
		t.Errorf("wrong key: status %d\n%s", status, out)
	}
	if out, status := term.run("", "up", term.repo, "--one-shot"); status != 2 || !strings.Contains(out, "--one-shot wants a --prompt") {
		t.Errorf("a mistake: status %d\n%s", status, out)
	}
	if left, err := exec.Command("git", "-C", term.repo, "status", "--porcelain").Output(); err != nil || len(left) > 0 {
		t.Errorf("the repository was touched: %v %s", err, left)
	}
}
