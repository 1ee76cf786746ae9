package session_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/session"
)

// largeRepo has more in its pack than what is fetched.
func largeRepo(t *testing.T) string {
	t.Helper()
	dir := newRepo(t)
	content := make([]byte, 20<<20)
	rand.Read(content) // never fails
	if err := os.WriteFile(filepath.Join(dir, "large"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	runGit(t, "-C", dir, "add", ".")
	runGit(t, "-C", dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", "large")
	runGit(t, "-C", dir, "repack", "-q", "-a", "-d")
	return dir
}

// A large repository's packs are a read-only folder in the container. The claims about it: it is the session's own copy, it has what the container may see anyway, and nothing inside can change it. Commits upon
// it come out, the session can be resumed, and its successor takes no more space.
func TestSecuritySharedPacks(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	w, dir := open(t, store), largeRepo(t)
	info := w.start(dir)

	mounts := dockerOutput(t, "inspect", "-f", "{{range .Mounts}}{{.Type}} {{.Source}} {{.Destination}} {{.RW}};{{end}}", info.Container)
	source := filepath.Join(filepath.Dir(info.SSHConfig), "objects")
	if want := "bind " + source + " " + agent.PacksDir + " false;"; mounts != want {
		t.Fatalf("mounts: %s\nwant    %s", mounts, want)
	}
	packs, err := filepath.Glob(filepath.Join(source, "pack", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatalf("packs: %v, %v", packs, err)
	}
	if sameFile(t, packs[0], filepath.Join(dir, ".git", "objects", "pack", filepath.Base(packs[0]))) {
		t.Error("the container sees the repository's own file")
	}
	got := w.output(info.Name, `cd `+agent.PacksDir+`
for f in pack/*; do { echo x >>"$f" || chmod 600 "$f" || rm -f "$f" || mv "$f" "$f.x" || ln "$f" /tmp/x; } 2>/dev/null && echo "changed $f"; done
touch new 2>/dev/null && echo made; mount -o remount,rw `+agent.PacksDir+` 2>/dev/null && echo remounted; true`)
	if got != "" {
		t.Errorf("inside: %s", got)
	}
	if own := w.output(info.Name, `ls "$(git rev-parse --git-path objects/pack)" | wc -l`); own != "0" {
		t.Errorf("%s files of packs were copied too", own)
	}

	tip := w.commitInside(info.Name, "made-inside.txt", "hello")
	w.awaitBranch(info.Name, "the commit", at(tip))

	// A second session's pack is a link to the first one's, and stays when that is removed.
	second, err := w.Start(t.Context(), session.StartOptions{Folder: dir, New: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeContainer(t, second.Container) })
	other := filepath.Join(filepath.Dir(second.SSHConfig), "objects", "pack", filepath.Base(packs[0]))
	if !sameFile(t, packs[0], other) {
		t.Error("the second session has a copy of its own")
	}
	if err := w.Remove(t.Context(), info.Name); err != nil {
		t.Fatal(err)
	}
	if out := w.output(second.Name, "git gc -q 2>&1; git fsck --connectivity-only 2>&1; git log --format=%s -n1"); !strings.HasSuffix(out, "large") || strings.Contains(out, "error") {
		t.Errorf("git inside the second session: %s", out)
	}
	if _, err := os.Stat(source); !os.IsNotExist(err) {
		t.Errorf("the first session's packs: %v", err)
	}
}

// elsewhere is an engine that sees other files than this process does, as from inside a container that was given its socket.
type elsewhere struct{ session.Engine }

func (e elsewhere) Create(ctx context.Context, spec container.Spec) (container.Container, error) {
	for _, m := range spec.Mounts {
		return container.Container{}, &container.MountError{Mount: m, Reason: "the source does not exist on the engine's machine"}
	}
	return e.Engine.Create(ctx, spec)
}

// Where packs cannot be shared they are sent; the repository arrives whole, and its commits come back.
func TestLargeRepositoryIsSent(t *testing.T) {
	t.Parallel()
	dir := largeRepo(t)
	w := open(t, newStore(t), func(c *session.Config) {
		c.Connect = func(ctx context.Context) (session.Engine, error) {
			e, err := connect(ctx)
			return elsewhere{e}, err
		}
	})
	var sent atomic.Bool
	info, err := w.Start(t.Context(), session.StartOptions{Folder: dir}, func(p session.Progress) {
		if strings.HasPrefix(p.Message, "Copying objects: 100%") {
			sent.Store(true)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeContainer(t, info.Container) })
	if !sent.Load() {
		t.Error("nothing was sent")
	}
	if got, want := w.inside(info.Name, "git fsck >&2; git rev-parse sketch-host/main HEAD"), runGit(t, "-C", dir, "rev-parse", "HEAD", "HEAD"); got != want {
		t.Errorf("inside: %s, want %s", got, want)
	}
	tip := w.commitInside(info.Name, "a.txt", "one")
	w.awaitBranch(info.Name, "the commit", at(tip))
	if left, err := os.Stat(filepath.Join(filepath.Dir(info.SSHConfig), "objects")); err == nil {
		t.Errorf("a folder that no container sees: %v", left)
	}
}

func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.Stat(b)
	if err != nil {
		t.Fatal(err)
	}
	return os.SameFile(x, y)
}
