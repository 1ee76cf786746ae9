package session_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
)

// userAgent runs OpenSSH's ssh-agent, and returns the environment in which ssh finds it.
func userAgent(t *testing.T) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent-") // a test's own folder has too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "socket")
	daemon := exec.Command("ssh-agent", "-D", "-a", socket)
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Kill()
		daemon.Wait()
		os.RemoveAll(dir)
	})
	deadline, again := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
	defer again.Stop()
	for {
		if _, err := os.Stat(socket); err == nil {
			return append(os.Environ(), "SSH_AUTH_SOCK="+socket)
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatal("ssh-agent does not listen")
		}
	}
}

// The setting counts from the next connection on, for sessions that run, and for what a resumed one finds.
func TestForwardAgentIsLive(t *testing.T) {
	t.Parallel()
	env := userAgent(t)
	w := open(t, newStore(t), func(c *session.Config) { c.Program = os.Getenv("SKETCH_IDE_AGENT") })
	info := w.start(newRepo(t))
	for _, allowed := range []bool{false, true, false} {
		w.Configure(session.Settings{BaseImage: baseImage(), ForwardAgent: allowed})
		cmd := exec.CommandContext(t.Context(), "ssh", "-F", info.SSHConfig, "-A", "-o", "BatchMode=yes", info.Name, `test -S "$SSH_AUTH_SOCK" && echo there`)
		cmd.Env, cmd.Stderr = env, t.Output()
		out, err := cmd.Output()
		if there := strings.TrimSpace(string(out)) == "there"; there != allowed {
			t.Errorf("forwardAgent is %v, and the agent is inside: %v (%v)", allowed, there, err)
		}
	}
}
