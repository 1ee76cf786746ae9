package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/jsonrpc/transcript"
)

// awaitRequest returns the next request of the backend's with that method; nil when none comes before the answer to the request id.
func (e *editorProcess) awaitRequest(method string, id int) (request json.RawMessage) {
	e.t.Helper()
	limit := time.After(agentPatience)
	for {
		select {
		case frame, ok := <-e.frames:
			var m struct {
				ID     json.RawMessage
				Method string
			}
			if !ok || json.Unmarshal(frame, &m) != nil {
				e.t.Fatalf("the binary ended or said %s", frame)
			}
			if m.Method == method {
				return frame
			}
			if m.Method == "" && string(m.ID) == fmt.Sprint(id) {
				return nil
			}
		case <-limit:
			e.t.Fatalf("no %s", method)
		}
	}
}

// The first session that is started in an editor with buttons brings the question whether ssh should know it; a click puts the line in. It is not asked again.
func TestSSHConfigIsOfferedOnce(t *testing.T) {
	dir := t.TempDir()
	state, repo, config := filepath.Join(dir, "state"), newTestRepo(t, dir), filepath.Join(dir, "ssh", "config")
	t.Setenv(sshConfigEnv, config) // of the backends that are started here
	t.Cleanup(func() {
		if out, err := command(t, "--state-dir", state, "prune", "--all", "--keep-images").CombinedOutput(); err != nil {
			t.Errorf("prune: %v\n%s", err, out)
		}
	})
	start := func() *editorProcess {
		e := startEditor(t, "--state-dir", state)
		e.call(1, "initialize", map[string]any{
			"rootUri": "file://" + repo, "clientInfo": map[string]any{"name": "Visual Studio Code"}, "capabilities": map[string]any{},
			"initializationOptions": map[string]any{"baseImage": testBase()},
		})
		for _, message := range []string{
			`{"jsonrpc":"2.0","method":"initialized","params":{}}`,
			`{"jsonrpc":"2.0","id":2,"method":"workspace/executeCommand","params":{"command":"sketch.start"}}`,
		} {
			if err := e.Send(transcript.Frame(message)); err != nil {
				t.Fatal(err)
			}
		}
		return e
	}
	e := start()
	asked := e.awaitRequest("window/showMessageRequest", -1)
	var m struct {
		ID     int
		Params struct{ Message string }
	}
	if err := json.Unmarshal(asked, &m); err != nil || !strings.Contains(m.Params.Message, "one Include line") {
		t.Fatalf("asked %s, %v", asked, err)
	}
	if _, err := os.Stat(config); err == nil {
		t.Error("the line was added unasked")
	}
	if err := e.Send(transcript.Frame(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":{"title":%q}}`, m.ID, addLine))); err != nil {
		t.Fatal(err)
	}
	told := e.awaitRequest("window/showMessage", -1)
	if data, err := os.ReadFile(config); err != nil || !strings.HasPrefix(string(data), "Include ") || !strings.Contains(string(told), config) {
		t.Errorf("the file is %q, %v; told %s", data, err, told)
	}
	// Whatever became of the answer, it is the last time.
	if out, err := command(t, "--state-dir", state, "ssh-config", "--remove").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	e = start()
	e.awaitRequest("workspace/configuration", 2) // until the session is there
	if err := e.Send(transcript.Frame(`{"jsonrpc":"2.0","id":3,"method":"workspace/executeCommand","params":{"command":"sketch.doctor"}}`)); err != nil {
		t.Fatal(err)
	}
	if again := e.awaitRequest("window/showMessageRequest", 3); again != nil {
		t.Errorf("asked again: %s", again)
	}
}
