//go:build linux

package agent_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestExec(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		name, input string
		args        []string
		stdout      string
		stderr      string
		status      int
	}{
		{name: "output and status", args: []string{"box", "echo out; echo err >&2; exit 7"}, stdout: "out\n", stderr: "err\n", status: 7},
		{name: "a shell interprets the command", args: []string{"box", "true && echo $((6*7)) | tr 4 5"}, stdout: "52\n"},
		{name: "script on stdin", input: "echo $((6*7)); [ -t 0 ] || echo notty\n", args: []string{"-T", "box", "bash"}, stdout: "42\nnotty\n"},
		{name: "shell without terminal", input: "echo in; exit 3\n", args: []string{"-T", "box"}, stdout: "in\n", status: 3},
		{name: "end of input", input: "abc", args: []string{"box", "cat; echo; echo end"}, stdout: "abc\nend\n"},
		{name: "input that nobody reads", input: strings.Repeat("x", 1<<20), args: []string{"box", "exit 5"}, status: 5},
		{name: "command not found", args: []string{"box", "no-such-command 2>/dev/null"}, status: 127},
		{name: "starts in the workspace", args: []string{"box", "pwd"}, stdout: w.workspace + "\n"},
		{
			name:   "environment",
			args:   []string{"box", `echo $FROM_CONFIG $USER $LOGNAME ${SSH_CONNECTION%% *} ${SHELL##*/}; case :$PATH: in *:/opt/sketch-ide/bin:*) echo path; esac`},
			stdout: fmt.Sprintf("yes %[1]s %[1]s 127.0.0.1 bash\npath\n", me(t)),
		},
		{name: "variables of the client", args: []string{"-o", "SetEnv=LC_TEST=a\\ b", "box", `echo "$LC_TEST"`}, stdout: "a b\n"},
		{name: "empty command", input: "echo no", args: []string{"box", " "}},
		{name: "no terminal, no TERM", args: []string{"box", "env | grep -c ^TERM="}, stdout: "0\n", status: 1},
		{name: "agent forwarding is refused", args: []string{"-A", "box", `echo "[$SSH_AUTH_SOCK]"`}, stdout: "[]\n"},
		{name: "killed by SIGTERM", args: []string{"box", "kill -TERM $$"}, status: 255},
		{name: "killed by SIGSEGV", args: []string{"box", "kill -SEGV $$"}, status: 255},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := w.ssh(test.input, test.args...)
			if got.stdout != test.stdout || got.stderr != test.stderr || got.status != test.status {
				t.Errorf("got %+v\nwant stdout %q, stderr %q, status %d", got, test.stdout, test.stderr, test.status)
			}
		})
	}
}

func TestExecMovesManyBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := make([]byte, 10<<20)
	rand.Read(data)
	got := w.ssh(string(data), "box", "cat")
	if got.status != 0 || !bytes.Equal([]byte(got.stdout), data) {
		t.Errorf("status %d, %d bytes of %d came back, or not the same", got.status, len(got.stdout), len(data))
	}
	// The output is longer than any pipe, and the command ends long before the client has read it.
	got = w.ssh("", "box", "head -c 10485760 /dev/zero; echo end >&2")
	if len(got.stdout) != 10<<20 || got.stderr != "end\n" {
		t.Errorf("%d bytes, standard error %q", len(got.stdout), got.stderr)
	}
}

func TestBackgroundProcessDoesNotHang(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, args := range [][]string{
		{"box", "sleep 300 & echo $!"},
		{"-tt", "box", "trap '' HUP; sleep 300 & echo $!"},
		{"box", "(while :; do echo x >&2 || exit; sleep 0.05; done) & echo $!"},
	} {
		got := w.ssh("", args...)
		pid := strings.TrimSpace(got.stdout)
		if got.status != 0 || pid == "" {
			t.Errorf("%q: %+v", args, got)
		}
		if got.elapsed > patience {
			t.Errorf("%q took %v", args, got.elapsed)
		}
		kill(pid)
	}
}

func TestManySessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			want := fmt.Sprintf("%d\n", i)
			if got := w.ssh(want, "box", "cat"); got.stdout != want || got.status != 0 {
				t.Errorf("session %d: %+v", i, got)
			}
		})
	}
	all.Wait()
}

func TestCipher(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.ssh("", "-v", "-o", "LogLevel=DEBUG1", "box", "true"); !strings.Contains(got.stderr, "cipher: aes128-gcm@openssh.com") {
		t.Errorf("ssh chose another cipher: %s", got.stderr)
	}
}
