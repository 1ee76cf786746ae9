package main

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/jsonrpc/transcript"
)

// window is a backend for one repository, and the session that it has started.
type window struct {
	*editorProcess
	requests int
	session  jsonrpc.Session
}

func openWindow(t *testing.T, state, repo string) *window {
	t.Helper()
	w := &window{editorProcess: startEditor(t, "--state-dir", state)}
	w.requests++
	w.call(w.requests, "initialize", map[string]any{"rootUri": "file://" + repo, "capabilities": map[string]any{}, "initializationOptions": map[string]any{"baseImage": testBase()}})
	if err := w.Send(transcript.Frame(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)); err != nil {
		t.Fatal(err)
	}
	w.execute(&w.session, "sketch.start")
	return w
}

func (w *window) execute(result any, name string, arguments ...any) {
	w.t.Helper()
	w.requests++
	answer := w.call(w.requests, "workspace/executeCommand", map[string]any{"command": name, "arguments": arguments})
	if err := json.Unmarshal(answer, result); err != nil {
		w.t.Fatal(err)
	}
}

// forward waits until a port is forwarded on which something listens, and returns it.
func (w *window) forward(port int) jsonrpc.Port {
	w.t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(time.Minute); ; {
		var ports jsonrpc.PortsResult
		w.execute(&ports, "sketch.ports")
		for _, p := range ports.Ports {
			if p.Number == port && p.Status == jsonrpc.PortForwarded && len(p.Addresses) > 0 {
				return p
			}
		}
		select {
		case <-again.C:
		case <-deadline:
			w.t.Fatalf("port %d is not forwarded: %+v", port, ports)
		}
	}
}

// own waits until the window owns its session: a process that was killed can have its lock for a moment longer than its standard output.
func (w *window) own() {
	w.t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(time.Minute); ; {
		var list jsonrpc.SessionsResult
		w.execute(&list, "sketch.sessions")
		if slices.ContainsFunc(list.Sessions, func(s jsonrpc.Session) bool { return s.Name == w.session.Name && s.Owner }) {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			w.t.Fatalf("the session has another owner: %+v", list)
		}
	}
}

// newTestRepo makes a repository with one commit in dir.
func newTestRepo(t *testing.T, dir string) string {
	t.Helper()
	repo := filepath.Join(dir, "app")
	for _, args := range [][]string{{"init", "-q", "-b", "main", repo}, {"-C", repo, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "first"}} {
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return repo
}

// A backend that is killed loses nothing: the next one has the session as it was, with its host ports, its branch and its conversation.
func TestKilledBackendComesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	state, repo := filepath.Join(dir, "state"), newTestRepo(t, dir)
	t.Cleanup(func() {
		if out, err := command(t, "--state-dir", state, "prune", "--all", "--keep-images").CombinedOutput(); err != nil {
			t.Errorf("prune: %v\n%s", err, out)
		}
	})
	first := openWindow(t, state, repo)
	// The port's own number is taken on the host, so that the session gets another one, which is remembered. Both are none that the kernel gives to
	// connections, of which another test may have thousands.
	taken := takePort(t)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	serve := command(t, "--state-dir", state, "ssh", first.session.Name, "--", "git commit -q --allow-empty -m inside; nohup python3 -m http.server --bind 127.0.0.1 "+
		strconv.Itoa(port)+" >/dev/null 2>&1 </dev/null &")
	serve.Stderr = os.Stderr
	if err := serve.Run(); err != nil {
		t.Fatal(err)
	}
	var forwarded jsonrpc.Port
	first.execute(&forwarded, "sketch.forward", port)
	before := first.forward(port)
	var said jsonrpc.ConversationResult
	first.execute(&said, "sketch.conversation")
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range first.frames { // until the end of its output
	}
	taken.Close()

	second := openWindow(t, state, repo)
	after := second.forward(port)
	after.Reason = before.Reason // "is in use" before, "as before" after
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the port (-before +after):\n%s", diff)
	}
	if before.HostPort == port {
		t.Errorf("the taken port %d was forwarded as it is", port)
	}
	second.own()
	was, is := first.session, second.session
	if was.Name != is.Name || was.Branch != is.Branch || was.Commit != is.Commit || was.Container != is.Container {
		t.Errorf("the session was %+v, is %+v", was, is)
	}
	var now jsonrpc.ConversationResult
	second.execute(&now, "sketch.conversation")
	if diff := cmp.Diff(said.Messages, now.Messages); diff != "" {
		t.Errorf("the conversation (-before +after):\n%s", diff)
	}
}
