package session_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/session"
)

// pair is two sessions of one machine, with a server inside the first that is forwarded.
type pair struct {
	*window
	state    string
	repo     string
	a, b     session.Info
	hostPort uint16 // of the forward
}

// hostKey is a model's key that only the host may have.
const hostKey = "sk-test-5f2c9a7d-only-for-the-host"

func newPair(t *testing.T) *pair {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state")
	store, err := session.OpenStore(state)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{state: state, repo: newRepo(t)}
	p.window = open(t, store, func(c *session.Config) { c.Program = os.Getenv("SKETCH_IDE_AGENT") })
	if err := p.SetKey("ANTHROPIC_API_KEY", hostKey); err != nil {
		t.Fatal(err)
	}
	p.a, p.b = p.start(p.repo), p.start(newRepo(t))
	port := freePort(t)
	p.serve(p.a.Name, "127.0.0.1", port)
	p.hostPort = find(p.await(p.a.Name, "forward", forwarded(port)), port).HostPort
	return p
}

// secrets are what a session has on the host: the client's private key, as it is in two files, and the key of a model.
func (p *pair) secrets(t *testing.T, name string) []string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(p.state, "sessions", name, "client_key"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(key)), "\n")
	return []string{lines[2], hostKey} // in the second line of an OpenSSH key's body its public half ends
}

// ssh runs OpenSSH with a session's configuration and arguments that come before it, so that they count.
func (p *pair) ssh(t *testing.T, info session.Info, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ssh", append(append(args, "-F", info.SSHConfig, "-o", "BatchMode=yes", info.Name), "echo entered as $(whoami)")...)
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), err
}
