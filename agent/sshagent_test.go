//go:build linux

package agent_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sshAgent runs OpenSSH's ssh-agent with one key, and returns the environment in which ssh finds it and the key's public half.
func (w *world) sshAgent() (env []string, key string) {
	w.t.Helper()
	socket := w.path("user-agent.sock")
	daemon := exec.Command("ssh-agent", "-D", "-a", socket)
	if err := daemon.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { daemon.Process.Kill(); daemon.Wait() })
	w.eventually("ssh-agent listens", func() bool { _, err := os.Stat(socket); return err == nil })
	env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
	run := func(name string, args ...string) string {
		cmd := exec.CommandContext(w.t.Context(), name, args...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			w.t.Fatalf("%s: %v\n%s", name, err, out)
		}
		return string(out)
	}
	run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", w.path("mine"))
	run("ssh-add", "-q", w.path("mine"))
	return env, strings.Fields(run("ssh-add", "-L"))[1]
}

// The user's keys can be used inside while ssh forwards them, by this session alone, and the socket goes with it. Where the client's configuration says that
// there is no agent, as sketch-ide's does unless told otherwise, -A is of no use.
func TestAgentForwarding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env, key := w.sshAgent()
	allowed := w.replaced("with_agent", "  IdentityAgent none\n", "")
	run := func(config string, args ...string) result {
		cmd := exec.CommandContext(t.Context(), "ssh", append([]string{"-F", config}, args...)...)
		cmd.Env = env
		return w.finish(cmd, "")
	}
	const show = `echo "at $SSH_AUTH_SOCK"; stat -c %a "$SSH_AUTH_SOCK"; ssh-add -L`
	got := run(allowed, "-A", "box", show)
	if !strings.Contains(got.stdout, key) || !strings.Contains(got.stdout, "\n600\n") {
		t.Errorf("the key is not there: %+v", got)
	}
	at, _, _ := strings.Cut(strings.TrimPrefix(got.stdout, "at "), "\n")
	w.eventually("the socket goes with its session", func() bool {
		_, err := os.Stat(filepath.Dir(at))
		return filepath.Dir(at) != "." && os.IsNotExist(err)
	})
	for name, got := range map[string]result{
		"not asked for": run(allowed, "box", show), "not allowed": run(w.sshConfig, "-A", "box", show),
	} {
		if strings.Contains(got.stdout+got.stderr, key) {
			t.Errorf("%s: the key is there: %+v", name, got)
		}
	}
}
