//go:build linux

package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
)

func TestRun(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for _, test := range []struct {
		name, command, output string
		exit                  int
		signal                string
	}{
		{name: "both streams in order", command: "echo a; echo b >&2; echo c", output: "a\nb\nc\n"},
		{name: "status", command: "echo no; exit 7", output: "no\n", exit: 7},
		{name: "standard input is empty", command: "cat; read x || echo end", output: "end\n"},
		{name: "no terminal", command: "[ -t 1 ] || tty", output: "not a tty\n", exit: 1},
		{name: "signal", command: "kill -KILL $$", exit: -1, signal: "killed"},
		{name: "several lines and a document", command: "cat <<E\none\n  two\nE\n# comment\nfalse", output: "one\n  two\n", exit: 1},
		{name: "begins with a comment", command: "# comment\necho x", output: "x\n"},
		{name: "syntax error", command: "echo 'a", exit: 2, output: "/bin/bash: -c: line 1: unexpected EOF while looking for matching `''\n"},
		{name: "nobody edits", command: `echo "$EDITOR $GIT_EDITOR $PAGER"`, output: "false : cat\n"},
		{name: "a trap of its own", command: "trap 'echo bye' EXIT; echo hi", output: "hi\nbye\n"},
		{name: "own descriptor 3", command: "exec 3>&1; echo x >&3", output: "x\n"},
		{name: "nothing", command: ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := run(t, s, test.command)
			if o.Output != test.output || o.Exit != test.exit || o.Signal != test.signal || o.TimedOut || o.Job != 0 {
				t.Errorf("got %+v", o)
			}
		})
	}
}

func TestDirectoryStays(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	base := s.Dir()
	for _, step := range []struct{ command, dir string }{
		{"mkdir -p a/b && cd a", base + "/a"},
		{"(cd b)", base + "/a"},
		{"cd b; exit 3", base + "/a/b"},
		{"trap - EXIT; cd /", base + "/a/b"}, // it does not want to be followed
		{"cd / && exec true", base + "/a/b"},
		{"pwd; cd ..", base + "/a"},
		{"echo /etc >&9; cd b", "/etc"}, // whatever is written there has to be a directory
		{"cd " + base, base},
		{"echo nonsense >&9; trap - EXIT", base},
	} {
		if o := run(t, s, step.command); o.Dir != step.dir {
			t.Errorf("after %q: in %s, want %s: %+v", step.command, o.Dir, step.dir, o)
		}
	}
	run(t, s, "mkdir gone && cd gone && rmdir ../gone")
	if o := run(t, s, "pwd"); !o.DirLost && o.Output != base+"\n" {
		t.Errorf("a directory that is gone: %+v", o)
	}
}

func TestLongOutput(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	o := run(t, s, "seq 1 2000000") // 14 MiB
	if len(o.Output) > headBytes+tailBytes+100 || !strings.HasPrefix(o.Output, "1\n2\n") || !strings.HasSuffix(o.Output, "1999999\n2000000\n") {
		t.Errorf("%d bytes: %.40q", len(o.Output), o.Output)
	}
	if !strings.Contains(o.Output, "left out …]\n") {
		t.Error("the gap is not told")
	}
	data, err := os.ReadFile(o.Whole)
	if err != nil || bytes.Count(data, []byte{'\n'}) != 2000000 {
		t.Errorf("the whole output: %d lines, %v", bytes.Count(data, []byte{'\n'}), err)
	}
}

func TestSpoolIsBounded(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	o := run(t, s, "head -c 40000000 /dev/zero | tr '\\0' x")
	info, err := os.Stat(o.Whole)
	if err != nil || info.Size() != maxSpoolBytes {
		t.Errorf("%v, %v", info, err)
	}
	for range maxSpoolFiles + 3 {
		run(t, s, "seq 1 20000")
	}
	entries, err := os.ReadDir(s.spool.dir)
	if err != nil || len(entries) != maxSpoolFiles {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

// TestNoSpool is a disk that takes nothing: the output is cut, and the command unharmed.
func TestNoSpool(t *testing.T) {
	t.Parallel()
	s := newShell(t, func(cfg *Config) { cfg.Spool = "/dev/full/no" })
	if o := run(t, s, "seq 1 20000"); o.Whole != "" || o.Exit != 0 || !strings.HasSuffix(o.Output, "20000\n") {
		t.Errorf("got %+v", o)
	}
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, "output-1.log")); err != nil {
		t.Fatal(err)
	}
	s = newShell(t, func(cfg *Config) { cfg.Spool = dir })
	if o := run(t, s, "seq 1 20000"); o.Whole != "" || o.Exit != 0 || !strings.HasSuffix(o.Output, "20000\n") {
		t.Errorf("full disk: %+v", o)
	}
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for _, command := range []string{"sleep 1000", "trap '' TERM HUP INT; while :; do sleep 1000; done"} {
		o, err := s.Run(t.Context(), command, 300*time.Millisecond, func(string) {})
		if err != nil || !o.TimedOut || o.Exit != -1 || o.Job != 0 {
			t.Errorf("%s: %+v, %v", command, o, err)
		}
	}
}

// TestEndsAll ends commands of several processes, once one of them has told its number.
func TestEndsAll(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for name, command := range map[string]string{
		"one process":       "echo $$; exec sleep 1000",
		"deaf":              "trap '' TERM HUP INT; echo $$; while :; do sleep 1000; done",
		"a tree":            "bash -c 'sleep 1000 & sleep 1000 & echo $!; wait'; true",
		"groups of its own": "set -m; sleep 1000 & echo $!; wait",
		"stopped":           "sleep 1000 & echo $!; kill -STOP $!; wait",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			o, err := s.Run(ctx, command, tooltest.Patience, func(string) { cancel() })
			if !errors.Is(err, context.Canceled) || o.Job != 0 {
				t.Fatalf("%+v, %v", o, err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(o.Output))
			if err != nil {
				t.Fatal(err)
			}
			tooltest.Eventually(t, "process ended", func() bool { return !alive(pid) })
		})
	}
}

// TestForkBomb runs one that is bounded by its number of processes, as the container bounds it.
func TestForkBomb(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	bomb := "b() { [ $1 -gt 6 ] || { b $(($1+1)) & b $(($1+1)) & wait; }; sleep 1000; }; trap '' TERM; b 0"
	o, err := s.Run(t.Context(), bomb, time.Second, func(string) {})
	if err != nil || !o.TimedOut || o.Job != 0 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestLiveOutput(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	fifo := filepath.Join(s.Dir(), "go")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	var last string
	o, err := s.Run(t.Context(), "seq 1 5000; cat go; echo end", tooltest.Patience, func(out string) {
		last = out
		if len(out) > liveBytes {
			t.Errorf("%d bytes", len(out))
		}
		if strings.HasSuffix(out, "5000\n") {
			once.Do(func() { os.WriteFile(fifo, []byte("released\n"), 0o600) })
		}
	})
	if err != nil || !strings.HasSuffix(o.Output, "released\nend\n") || !strings.HasSuffix(last, "end\n") {
		t.Errorf("%v, last %.20q", err, last)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	if _, err := s.Run(t.Context(), strings.Repeat("x", MaxCommand+1), tooltest.Patience, func(string) {}); !errors.Is(err, ErrTooLong) {
		t.Errorf("long command: %v", err)
	}
	if o := run(t, s, ":"+strings.Repeat(" x", MaxCommand/2-1)); o.Exit != 0 {
		t.Errorf("the longest command: %+v", o)
	}
	if _, err := s.Run(t.Context(), "echo \x00", tooltest.Patience, func(string) {}); err == nil {
		t.Error("zero byte: no error")
	}
	for range maxRunning {
		if _, err := s.Start("exec sleep 1000", tooltest.Patience); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Start("exec sleep 1000", tooltest.Patience); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	var busy atomic.Int32
	s := newShell(t, func(cfg *Config) {
		cfg.Busy = func() func() { busy.Add(1); return func() { busy.Add(-1) } }
	})
	fifo := filepath.Join(s.Dir(), "go")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	var seen int32
	var once sync.Once
	o, err := s.Run(t.Context(), "echo y; cat go", tooltest.Patience, func(string) {
		once.Do(func() {
			seen = busy.Load()
			os.WriteFile(fifo, nil, 0o600)
		})
	})
	if err != nil || o.Exit != 0 || seen != 1 {
		t.Errorf("%+v, %v, %d busy", o, err, seen)
	}
	tooltest.Eventually(t, "calm again", func() bool { return busy.Load() == 0 })
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			want := fmt.Sprintf("%d\n", i)
			if o, err := s.Run(t.Context(), "echo "+want, tooltest.Patience, func(string) {}); err != nil || o.Output != want {
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
	all.Wait()
}

// TestPlainShell is an image without bash: what sh can do works the same.
func TestPlainShell(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/bin/sh", "/bin/dash"} {
		s := newShell(t)
		s.shell = path
		run(t, s, "mkdir d && cd d")
		if o := run(t, s, "pwd; exit 4"); o.Output != s.Dir()+"\n" || filepath.Base(s.Dir()) != "d" || o.Exit != 4 {
			t.Errorf("%s: %+v", path, o)
		}
		if o := run(t, s, "sleep 1000 & echo left"); o.Output != "left\n" || o.Job != 1 {
			t.Errorf("%s: %+v", path, o)
		}
	}
}
