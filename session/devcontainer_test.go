package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// TestDevcontainerJSONIsRereadLive changes the repository's settings under a running session.
func TestDevcontainerJSONIsRereadLive(t *testing.T) {
	t.Parallel()
	repo := newRepo(t)
	w := open(t, newStore(t))
	port := freePort(t)
	write := func(content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(repo, ".devcontainer"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(repo, ".devcontainer", "devcontainer.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(fmt.Sprintf(`{
		// comments and trailing commas are allowed
		"workspaceFolder": "nowhere",
		"portsAttributes": {"%d": {"label": "web", "onAutoForward": "silent"},},
	}`, port))
	info := w.start(repo)
	w.serve(info.Name, "127.0.0.1", port)
	f := find(w.await(info.Name, "forward", forwarded(port)), port)
	if f.Label != "web" || f.Action != tunnel.Silent {
		t.Errorf("got %+v", f)
	}
	write(fmt.Sprintf(`{"portsAttributes": {"%d": {"label": "shop", "onAutoForward": "openBrowserOnce", "protocol": "https"}}}`, port))
	f = find(w.await(info.Name, "new label", func(i session.Info) bool { return find(i, port).Label == "shop" }), port)
	w.awaitProblem("workspaceFolder: want an absolute path") // once, though it was read twice since
	if f.Action != tunnel.OpenBrowserOnce || f.URL() != fmt.Sprintf("https://localhost:%d", f.HostPort) || f.Opened != 1 {
		t.Errorf("after the change: %+v", f)
	}
	// A file that cannot be read for a moment, as one that is being edited, changes nothing and is told.
	w.mu.Lock()
	mark := len(w.told)
	w.mu.Unlock()
	write(`{"portsAttributes": {`)
	w.awaitProblem("unexpected EOF")
	// Written by rename, as many editors do.
	file := filepath.Join(repo, ".devcontainer", "devcontainer.json")
	if err := os.WriteFile(file+"~", fmt.Appendf(nil, `{"portsAttributes": {"%d": {"label": "shop 2", "onAutoForward": "openBrowserOnce"}}}`, port), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+"~", file); err != nil {
		t.Fatal(err)
	}
	w.await(info.Name, "label by rename", func(i session.Info) bool { return find(i, port).Label == "shop 2" })
	w.mu.Lock()
	for _, i := range w.told[mark:] {
		if f := find(i, port); !strings.HasPrefix(f.Label, "shop") || f.Status != tunnel.Forwarded {
			t.Errorf("while the file was broken: %+v", f)
			break
		}
	}
	w.mu.Unlock()
	// The user's settings win over the repository's.
	user, err := tunnel.DecodeSettings([]byte(fmt.Sprintf(`{"portsAttributes": {"%d": {"label": "mine"}}}`, port)))
	if err != nil {
		t.Fatal(err)
	}
	w.Configure(session.Settings{BaseImage: baseImage(), Forwards: user})
	f = find(w.await(info.Name, "user's label", func(i session.Info) bool { return find(i, port).Label == "mine" }), port)
	if f.Action != tunnel.OpenBrowserOnce {
		t.Errorf("the repository's action is lost: %+v", f)
	}
	// A mistake is told, and the rest counts.
	write(fmt.Sprintf(`{"forwardPorts": ["nonsense"], "portsAttributes": {"%d": {"onAutoForward": "ignore"}}}`, port))
	w.await(info.Name, "ignored port to go", func(i session.Info) bool { return find(i, port).Port == 0 })
	w.awaitProblem("forwardPorts")
	if err := os.Remove(filepath.Join(repo, ".devcontainer", "devcontainer.json")); err != nil {
		t.Fatal(err)
	}
	w.await(info.Name, "forward without the file", func(i session.Info) bool { return forwarded(port)(i) && find(i, port).Label == "mine" })
}
