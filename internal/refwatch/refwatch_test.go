package refwatch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// start watches and returns a channel with something in it for each call; stop ends it.
func start(t *testing.T, cfg Config) (calls chan struct{}, stop func() error) {
	t.Helper()
	calls = make(chan struct{}, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Watch(ctx, cfg, func() { calls <- struct{}{} }) }() // ends with cancel; stop waits
	stop = func() error { cancel(); return <-ended }
	return calls, stop
}

func await(t *testing.T, calls chan struct{}, what string) {
	t.Helper()
	select {
	case <-calls:
	case <-time.After(time.Minute):
		t.Fatalf("%s: not told within a minute", what)
	}
}

// quiet drains what is still told, until nothing was for a while: it makes no claim, it only separates one step of a test from the next.
func quiet(calls chan struct{}) {
	for {
		select {
		case <-calls:
		case <-time.After(20 * settle):
			return
		}
	}
}

func TestWatchTellsWhateverMovesARef(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "first")
	linked := filepath.Join(t.TempDir(), "linked")
	git(t, dir, "worktree", "add", "-q", "--detach", linked)
	common := filepath.Join(dir, ".git")
	calls, stop := start(t, Config{Dir: common, CommonDir: common, Poll: time.Hour})
	calls2, stop2 := start(t, Config{Dir: git(t, linked, "rev-parse", "--absolute-git-dir"), CommonDir: common, Poll: time.Hour})
	await(t, calls, "begin")
	await(t, calls2, "begin")
	for _, step := range [][]string{
		{"commit", "-q", "--allow-empty", "-m", "second"},
		{"branch", "sketch/new"},
		{"branch", "-f", "sketch/new", "HEAD~1"},
		{"switch", "-q", "--detach"},
		{"pack-refs", "--all"},
		{"branch", "-D", "-q", "sketch/new"},
		{"branch", "a/b/c/d"},
		{"branch", "-f", "a/b/c/d", "HEAD~1"},
	} {
		quiet(calls)
		git(t, dir, step...)
		await(t, calls, strings.Join(step, " "))
	}
	quiet(calls2)
	git(t, linked, "switch", "-q", "-c", "elsewhere")
	await(t, calls2, "switch in a linked worktree")
	if err := errors.Join(stop(), stop2()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWatchPollsWhereNothingIsHeard(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	calls, stop := start(t, Config{Dir: dir, CommonDir: dir, Poll: 10 * time.Millisecond})
	for range 5 {
		await(t, calls, "the clock")
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWatchEndsWithTheRepository(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "r")
	git(t, filepath.Dir(dir), "init", "-q", "--bare", dir)
	ended := make(chan error, 1)
	calls := make(chan struct{}, 1000)
	go func() {
		ended <- Watch(t.Context(), Config{Dir: dir, CommonDir: dir, Poll: 50 * time.Millisecond}, func() { calls <- struct{}{} })
	}()
	await(t, calls, "begin")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("goes on without the repository")
	}
}
