package repo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sharer is an inside that sees a folder of the host's.
type sharer struct {
	*inside
	at    string // where the container sees it
	packs *SharedPacks
}

func (s *sharer) SharedPacks(context.Context, func(string)) (string, *SharedPacks, error) {
	return s.at, s.packs, nil
}

// shared fills a folder, and checks the repository out with it.
func shared(t *testing.T, dir string, near ...string) (*sharer, string) {
	t.Helper()
	host := mustOpen(t, dir)
	host.copyFrom = 0
	folder := filepath.Join(realTemp(t), "objects")
	var done, total int64
	packs, err := host.SharePacks(t.Context(), folder, near, func(d, of int64) { done, total = d, of })
	if err != nil {
		t.Fatal(err)
	}
	if done != total || total == 0 {
		t.Errorf("told %d of %d", done, total)
	}
	s := &sharer{inside: newInside(t, host), at: folder, packs: packs}
	workspace := filepath.Join(s.dir, "w")
	if err := host.Checkout(t.Context(), s, workspace, "fix", func(string) {}); err != nil {
		t.Fatal(err)
	}
	if head := s.git(workspace, "rev-parse", "sketch/fix"); head != host.Head {
		t.Errorf("at %s, want %s", head, host.Head)
	}
	s.git(workspace, "fsck", "--strict")
	want := strings.ReplaceAll(hostGit(t, dir, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"), "refs/heads/", "refs/remotes/sketch-host/")
	if got := s.git(workspace, "for-each-ref", "--format=%(objectname) %(refname)", "refs/remotes/sketch-host", "refs/tags"); got != want {
		t.Errorf("refs inside:\n%s\nwant\n%s", got, want)
	}
	return s, workspace
}

func TestCheckoutSharesPacks(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	hostGit(t, dir, "repack", "-q", "-a", "-d")
	commit(t, dir, "later", "later\n")
	before := fingerprint(t, dir)
	s, workspace := shared(t, dir)
	if own, _ := filepath.Glob(filepath.Join(workspace, ".git", "objects", "pack", "*")); len(own) != 0 {
		t.Errorf("packs were copied too: %v", own)
	}
	if _, err := os.Stat(filepath.Join(workspace, ".git", "FETCH_HEAD")); err == nil {
		t.Error("the repository was fetched too")
	}
	for path, print := range fingerprint(t, dir) {
		if before[path] != print {
			t.Errorf("the host's %s was changed", path)
		}
	}
	for _, name := range s.packs.files {
		info, err := os.Stat(filepath.Join(s.at, "pack", name))
		if err != nil || info.Mode().Perm() != 0o444 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		if user, err := os.Stat(filepath.Join(dir, ".git", "objects", "pack", name)); err == nil && os.SameFile(info, user) {
			t.Errorf("%s is the user's own file", name)
		}
	}

	// The next session's folder takes no space.
	next, _ := shared(t, dir, filepath.Join(realTemp(t), "none"), s.at)
	var linked int
	for _, name := range next.packs.files {
		a, errA := os.Stat(filepath.Join(s.at, "pack", name))
		b, errB := os.Stat(filepath.Join(next.at, "pack", name))
		if errors.Join(errA, errB) == nil && os.SameFile(a, b) {
			linked++
		}
	}
	if linked < 2 {
		t.Errorf("%d of %d files are linked", linked, len(next.packs.files))
	}
}

// An engine that sees other files than sketch-ide does shows another folder of that name.
func TestCheckoutWithoutTheSharedFolder(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	hostGit(t, dir, "repack", "-q", "-a", "-d")
	host := mustOpen(t, dir)
	host.copyFrom = 0
	packs, err := host.SharePacks(t.Context(), filepath.Join(realTemp(t), "objects"), nil, func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	s := &sharer{inside: newInside(t, host), at: realTemp(t), packs: packs}
	workspace := filepath.Join(s.dir, "w")
	if err := host.Checkout(t.Context(), s, workspace, "fix", func(string) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(workspace, ".git", "objects", "info", "alternates")); err == nil {
		t.Error("git inside looks into a folder that is not there")
	}
	s.git(workspace, "fsck", "--strict")
}

func TestSharePacksThatDoNotPay(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	host := mustOpen(t, dir)
	if host.Sharable() {
		t.Error("a small repository is shared")
	}
	if _, err := host.SharePacks(t.Context(), filepath.Join(realTemp(t), "objects"), nil, func(int64, int64) {}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error %v", err)
	}
}

// A pack with more than the container may see is not shared as it is.
func TestSecuritySharedPacksLeaveOutWhatIsNotOnOffer(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	id := hostGit(t, dir, "commit-tree", "-p", "HEAD", "-m", "secret", "HEAD^{tree}")
	hostGit(t, dir, "update-ref", "refs/stash", id)
	hostGit(t, dir, "repack", "-q", "-a", "-d")
	s, workspace := shared(t, dir)
	if out, err := s.tryGit(workspace, "cat-file", "-t", id); err == nil {
		t.Errorf("%s is inside: a %s", id, out)
	}
}
