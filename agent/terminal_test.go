//go:build linux

package agent_test

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
)

func TestTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cmd := w.tool("ssh", "-tt", "box", "tty; stty size; echo $TERM; stty -a | grep -o 'intr = ..'; read x; stty size; exit 4")
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 31, Cols: 97})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	lines := bufio.NewScanner(terminal)
	for _, want := range []string{"/dev/pts/", "31 97", "xterm-256color", "intr = ^C"} {
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), want) {
			t.Fatalf("got %q, want %q\n%s", lines.Text(), want, w.log)
		}
	}
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 50, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	w.eventually("ssh has sent the size", func() bool { return w.remoteSize() == "50 120" })
	io.WriteString(terminal, "go\n")
	rest, _ := io.ReadAll(terminal) // ends with EIO, as terminals do
	if !strings.Contains(string(rest)+lines.Text(), "50 120") {
		for lines.Scan() {
			rest = append(rest, lines.Bytes()...)
		}
	}
	if !strings.Contains(string(rest), "50 120") {
		t.Errorf("after the resize: %q", rest)
	}
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 4 {
		t.Errorf("exit status %d", status)
	}
}

// remoteSize asks for the size of the newest terminal that the agent has opened, from outside.
func (w *world) remoteSize() string {
	got := w.ssh("", "box", `for p in /proc/[0-9]*; do if tr '\0' ' ' <$p/cmdline 2>/dev/null | grep -q 'bash -c tty; stty size'; then stty size <$p/fd/0 2>/dev/null; fi; done`)
	return strings.TrimSpace(got.stdout)
}

func TestLoginShellOnTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.ssh("shopt -q login_shell && echo log''in; stty -echo; exit 6\n", "-tt", "box")
	if !strings.Contains(got.stdout, "login\r\n") || got.status != 6 {
		t.Errorf("%+v", got)
	}
}

func TestTerminalModes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session, err := w.dial().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	modes := ssh.TerminalModes{ssh.ECHO: 0, ssh.ICRNL: 1, ssh.VINTR: 7, ssh.CS8: 1, ssh.TTY_OP_OSPEED: 38400}
	if err := session.RequestPty("vt100", 24, 80, modes); err != nil {
		t.Fatal(err)
	}
	out, err := session.Output("stty -a")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" -echo ", "intr = ^G", " cs8 ", " icrnl "} {
		if !strings.Contains(strings.ReplaceAll(string(out), "\r\n", " "), want) {
			t.Errorf("%q is missing in %s", want, out)
		}
	}
}
