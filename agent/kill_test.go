//go:build linux

package agent_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func kill(pid string) {
	if n, err := strconv.Atoi(pid); err == nil && n > 1 {
		syscall.Kill(n, syscall.SIGKILL)
	}
}

// alive reports whether a process runs; a zombie does not.
func alive(pid string) bool {
	data, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	fields := strings.Fields(string(data[strings.LastIndex(string(data), ")")+1:]))
	return len(fields) > 0 && fields[0] != "Z"
}

// startPIDs starts ssh with a command that prints process numbers, one line each, and reads them.
func (w *world) startPIDs(n int, args ...string) (*exec.Cmd, []string) {
	w.t.Helper()
	cmd := w.tool("ssh", args...)
	if _, err := cmd.StdinPipe(); err != nil { // open for as long as ssh runs
		w.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	var pids []string
	for len(pids) < n && lines.Scan() {
		pids = append(pids, strings.TrimSpace(lines.Text()))
	}
	if len(pids) < n {
		w.t.Fatalf("only %q came\n%s", pids, w.log)
	}
	w.t.Cleanup(func() {
		for _, pid := range pids {
			kill(pid)
		}
	})
	return cmd, pids
}

func TestKilledClientEndsCommand(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
	}{
		{"command", []string{"box", "sleep 300 & echo $!; echo $$; wait"}},
		{"ignores the hangup", []string{"box", "trap '' TERM; (trap - HUP; exec sleep 300) & echo $!; echo $$; while :; do sleep 0.1; done"}},
		{"terminal", []string{"-tt", "box", "sleep 300 & echo $!; echo $$; wait"}},
		{"stopped", []string{"box", "sleep 300 & echo $!; echo $$; kill -STOP $$"}},
		{"pipeline", []string{"box", "sleep 300 | cat & echo $!; echo $$; wait"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			cmd, pids := w.startPIDs(2, test.args...)
			cmd.Process.Kill()
			cmd.Wait()
			for _, pid := range pids {
				w.eventually("process ends", func() bool { return !alive(pid) })
			}
			w.eventually("no session is left", func() bool {
				status, err := w.client.Status(t.Context())
				return err == nil && status.SSH.Sessions == 0 && status.SSH.Connections == 0
			})
		})
	}
}

func TestDetachedProcessSurvives(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, command string }{
		{"setsid", "setsid sleep 300 & echo $!; echo $$; wait"},
		{"nohup", "nohup sleep 300 & echo $!; echo $$; wait"},
		{"own streams", "sleep 300 </dev/null >/dev/null 2>&1 & echo $!; echo $$; wait"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			cmd, pids := w.startPIDs(2, "box", test.command)
			w.eventually("the process is what it wants to be", func() bool {
				name, err := os.ReadFile("/proc/" + pids[0] + "/comm")
				return err == nil && string(name) == "sleep\n"
			})
			cmd.Process.Kill()
			cmd.Wait()
			w.eventually("the command ends", func() bool { return !alive(pids[1]) })
			w.eventually("the session ends", func() bool {
				status, err := w.client.Status(t.Context())
				return err == nil && status.SSH.Sessions == 0
			})
			if !alive(pids[0]) {
				t.Error("the detached process was killed")
			}
		})
	}
}

func TestProcessSurvivesItsCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.ssh("", "box", "sleep 300 </dev/null >/dev/null 2>&1 & echo $!")
	pid := strings.TrimSpace(got.stdout)
	defer kill(pid)
	if !alive(pid) {
		t.Error("a background process ended with the command that started it")
	}
	if got.elapsed > patience { // not as long as the process lives
		t.Errorf("took %v", got.elapsed)
	}
}

func TestSignal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session, err := w.dial().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("trap 'echo got it; exit 9' USR1; echo ready; while :; do sleep 0.05; done"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	lines.Scan()
	if err := session.Signal(ssh.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	lines.Scan()
	if got := lines.Text(); got != "got it" {
		t.Errorf("the command said %q", got)
	}
	err = session.Wait()
	if exit, ok := errors.AsType[*ssh.ExitError](err); !ok || exit.ExitStatus() != 9 {
		t.Errorf("the session ended with %v", err)
	}
}

func TestExitSignal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.dial()
	for _, name := range []string{"KILL", "TERM", "HUP", "USR1"} {
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		err = session.Run("kill -" + name + " $$")
		if exit, ok := errors.AsType[*ssh.ExitError](err); !ok || exit.Signal() != name {
			t.Errorf("%s: the session ended with %v", name, err)
		}
	}
}

func TestShutdownHangsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cmd, pids := w.startPIDs(1, "box", "echo $$; exec sleep 300")
	start := time.Now()
	w.stop()
	if elapsed := time.Since(start); elapsed > patience { // not as long as the command would take
		t.Errorf("the end took %v", elapsed)
	}
	if alive(pids[0]) {
		t.Error("a command outlived the agent")
	}
	if err := cmd.Wait(); err == nil {
		t.Error("ssh ended as if nothing had happened")
	}
}

// The reply to a request for a command precedes all that the command causes, however quick it is.
func TestQuickCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.dial()
	for range 200 {
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if out, err := session.CombinedOutput("echo x"); err != nil || string(out) != "x\n" {
			t.Fatalf("%q, %v", out, err)
		}
	}
}
