//go:build linux

package agent_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// run runs a program that calls ssh by itself, and fails the test when it fails.
func (w *world) run(name string, args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), name, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "GIT_SSH_COMMAND=ssh -F "+w.sshConfig, "RSYNC_RSH=ssh -F "+w.sshConfig, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s %q: %v\n%s\n%s", name, args, err, out, w.log)
	}
	return string(out)
}

func TestRsync(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := make([]byte, 2<<20)
	rand.Read(data)
	if err := os.MkdirAll(w.path("tree/a b/c"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.write("tree/a b/c/big", string(data))
	w.write("tree/small", "one\n")
	w.run("rsync", "-a", "--delete", "tree/", "box:there/")
	w.write("tree/small", "two\n")
	if err := os.Remove(w.path("tree/a b/c/big")); err != nil {
		t.Fatal(err)
	}
	w.run("rsync", "-a", "--delete", "--checksum", "tree/", "box:there/")
	w.run("rsync", "-a", "box:there/", "back/")
	if got := w.read("back/small"); got != "two\n" {
		t.Errorf("came back: %q", got)
	}
	if _, err := os.Stat(filepath.Join(w.workspace, "there/a b/c/big")); !os.IsNotExist(err) {
		t.Errorf("what was deleted is still there: %v", err)
	}
}

func TestGitOverSSH(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	commit := func(dir, name string) {
		t.Helper()
		w.write(filepath.Join(dir, name), name)
		w.run("git", "-C", dir, "add", ".")
		w.run("git", "-C", dir, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "-m", name)
	}
	w.run("git", "init", "-q", "--bare", "-b", "main", filepath.Join(w.workspace, "there.git"))
	w.run("git", "init", "-q", "-b", "main", "mine")
	commit("mine", "first")
	w.run("git", "-C", "mine", "push", "-q", "box:there.git", "main")
	w.run("git", "clone", "-q", "box:there.git", "other")
	commit("other", "second")
	w.run("git", "-C", "other", "push", "-q", "origin", "main")
	w.run("git", "-C", "mine", "pull", "-q", "box:there.git", "main")
	if got := w.read("mine/second"); got != "second" {
		t.Errorf("pulled %q", got)
	}
}

// A terminal takes a large paste without losing a byte, and without waiting for a program that says something meanwhile.
func TestLargePaste(t *testing.T) {
	t.Parallel()
	lines := bytes.Repeat([]byte("a line that is pasted, like eighteen thousand others, umlauts: äöü\n"), 1<<20/69)
	raw := make([]byte, 1<<20)
	rand.Read(raw)
	for _, tt := range []struct {
		name, modes string
		data        []byte
	}{
		{"raw", "raw -echo", raw},
		{"lines, not echoed", "-echo", lines},
		{"lines, echoed", "echo", lines},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sum := sha256.Sum256(tt.data)
			if got := w.paste(tt.modes, tt.data); got != hex.EncodeToString(sum[:]) {
				t.Errorf("what arrived has the sum %s", got)
			}
		})
	}
}

// paste sends data to a terminal inside, and returns the sum of what a program reads from it. Random data has the escapes of ssh in it, which
// are turned off.
func (w *world) paste(modes string, data []byte) string {
	w.t.Helper()
	got := w.path("sum")
	cmd := w.tool("ssh", "-e", "none", "-tt", "box", "stty "+modes+"; echo rea''dy; head -c $N | sha256sum >"+got+"; echo do''ne")
	cmd.Args[len(cmd.Args)-1] = strings.ReplaceAll(cmd.Args[len(cmd.Args)-1], "$N", strconv.Itoa(len(data)))
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		w.t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	r := bufio.NewReader(out)
	if line, err := r.ReadString('\n'); !strings.HasPrefix(line, "ready") {
		w.t.Fatalf("%q, %v", line, err)
	}
	go in.Write(data) // ends with the command
	watchdog := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer watchdog.Stop()
	io.Copy(io.Discard, r)
	if err := cmd.Wait(); err != nil {
		w.t.Fatal(err)
	}
	return strings.Fields(w.read("sum"))[0]
}

// A tmux inside outlives its connection, and follows the size of the window that is attached to it.
func TestTmux(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tmux := "tmux -f /dev/null -S " + w.path("tmux.sock")
	t.Cleanup(func() { exec.Command("sh", "-c", tmux+" kill-server").Run() })
	attach := func(rows, columns uint16) (*os.File, *exec.Cmd) {
		cmd := w.tool("ssh", "-tt", "box", tmux+" new-session -A -s work")
		cmd.Env = append(os.Environ(), "TERM=xterm-256color")
		terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: columns})
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, terminal) // ends with the terminal
		return terminal, cmd
	}
	inside := func(command string) string { return w.ssh("", "box", tmux+" "+command).stdout }
	sized := func(size string) {
		t.Helper()
		w.eventually("a window of "+size, func() bool { return inside("list-clients -F '#{client_width}x#{client_height}'") == size+"\n" })
	}
	terminal, cmd := attach(30, 90)
	sized("90x30")
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 41, Cols: 133}); err != nil {
		t.Fatal(err)
	}
	sized("133x41")
	io.WriteString(terminal, "echo it is $((6*7))\n")
	w.eventually("the shell in it answers", func() bool { return strings.Contains(inside("capture-pane -p -t work"), "it is 42\n") })
	cmd.Process.Kill() // the network breaks
	cmd.Wait()
	terminal.Close()
	terminal, cmd = attach(20, 70)
	sized("70x20")
	if got := inside("capture-pane -p -t work"); !strings.Contains(got, "it is 42\n") {
		t.Errorf("what was on the screen is gone: %q", got)
	}
	cmd.Process.Kill()
	cmd.Wait()
	terminal.Close()
}
