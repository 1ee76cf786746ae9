package repo

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenFindsTheRepository(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	sub := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(realTemp(t), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	worktree := filepath.Join(realTemp(t), "tree")
	hostGit(t, dir, "worktree", "add", "-q", worktree, "other")
	dotGit := filepath.Join(dir, ".git")

	for _, tt := range []struct {
		name, dir                    string
		root, gitDir, common, branch string
		headOf, folder               string
	}{
		{"the root", dir, dir, dotGit, dotGit, "main", "main", "project"},
		{"a subfolder", sub, dir, dotGit, dotGit, "main", "main", "project"},
		{"a symbolic link", link, dir, dotGit, dotGit, "main", "main", "project"},
		{"a subfolder through a symbolic link", filepath.Join(link, "a"), dir, dotGit, dotGit, "main", "main", "project"},
		{"a linked worktree", worktree, worktree, filepath.Join(dotGit, "worktrees", "tree"), dotGit, "other", "other", "tree"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := mustOpen(t, tt.dir)
			got := [...]string{r.Root, r.Dir, r.CommonDir, r.Branch, r.Head, r.Name}
			want := [...]string{tt.root, tt.gitDir, tt.common, tt.branch, hostGit(t, dir, "rev-parse", tt.headOf), tt.folder}
			if got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestOpenReadsStateOfHead(t *testing.T) {
	t.Parallel()
	t.Run("detached", func(t *testing.T) {
		t.Parallel()
		dir := newHost(t, "project")
		hostGit(t, dir, "checkout", "-q", "HEAD~1")
		if r := mustOpen(t, dir); r.Branch != "" || r.Head != hostGit(t, dir, "rev-parse", "HEAD") {
			t.Errorf("branch %q, head %s", r.Branch, r.Head)
		}
	})
	t.Run("branch and tag of one name", func(t *testing.T) {
		t.Parallel()
		dir := newHost(t, "project")
		hostGit(t, dir, "tag", "main")
		if r := mustOpen(t, dir); r.Branch != "main" {
			t.Errorf("branch %q", r.Branch)
		}
	})
	t.Run("relative folder", func(t *testing.T) {
		t.Parallel()
		wd, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		dir := newHost(t, "project")
		relative, err := filepath.Rel(wd, dir)
		if err != nil {
			t.Fatal(err)
		}
		if r := mustOpen(t, relative); r.Root != dir || r.CommonDir != filepath.Join(dir, ".git") {
			t.Errorf("root %s, common %s", r.Root, r.CommonDir)
		}
	})
}

func TestOpenReadsIdentity(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	r := mustOpen(t, dir)
	if r.UserName != "" || r.UserEmail != "" || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], defaultEmail) {
		t.Errorf("without identity: %q %q %q", r.UserName, r.UserEmail, r.Notes)
	}
	hostGit(t, dir, "config", "user.name", "Ada\n  \"Countess\" O'Lovelace ")
	hostGit(t, dir, "config", "user.email", "ada@example.com")
	r = mustOpen(t, dir)
	if r.UserName != `Ada  "Countess" O'Lovelace` || r.UserEmail != "ada@example.com" || len(r.Notes) != 0 {
		t.Errorf("with identity: %q %q %q", r.UserName, r.UserEmail, r.Notes)
	}
}

func TestOpenNotesWhatStaysBehind(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	hostGit(t, dir, "config", "user.name", "Ada")
	hostGit(t, dir, "config", "user.email", "ada@example.com")
	commit(t, dir, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
	commit(t, dir, ".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ../x\n")
	notes := strings.Join(mustOpen(t, dir).Notes, "\n")
	for _, want := range []string{"submodules", "LFS"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no word about %s in %q", want, notes)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	empty := func(t *testing.T) string { return realTemp(t) }
	unborn := func(t *testing.T) string {
		dir := realTemp(t)
		hostGit(t, dir, "init", "-q")
		return dir
	}
	for _, tt := range []struct {
		name string
		dir  func(t *testing.T) string
		want error
	}{
		{"no folder", func(t *testing.T) string { return filepath.Join(realTemp(t), "absent") }, ErrNoFolder},
		{"a file", func(t *testing.T) string { return filepath.Join(newHost(t, "p"), "file0.txt") }, ErrNotFolder},
		{"no repository", empty, ErrNotRepository},
		{"no commit", unborn, ErrNoCommit},
		{"bare", func(t *testing.T) string {
			dir := realTemp(t)
			hostGit(t, dir, "clone", "-q", "--bare", newHost(t, "p"), "bare.git")
			return filepath.Join(dir, "bare.git")
		}, ErrBare},
		{"inside .git", func(t *testing.T) string { return filepath.Join(newHost(t, "p"), ".git", "refs") }, ErrInsideGitDir},
		{"partial clone", func(t *testing.T) string {
			from, dir := newHost(t, "p"), realTemp(t)
			hostGit(t, from, "config", "uploadpack.allowFilter", "true")
			hostGit(t, dir, "clone", "-q", "--filter=blob:none", "file://"+from, "part")
			return filepath.Join(dir, "part")
		}, ErrPartialClone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := tt.dir(t)
			_, err := Open(t.Context(), dir)
			wantOpenError(t, err, tt.want, dir)
		})
	}
}

func wantOpenError(t *testing.T, err, want error, dir string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	e, ok := errors.AsType[*OpenError](err)
	if !ok || e.Dir != dir {
		t.Errorf("got %#v, want an OpenError about %s", err, dir)
	}
	if e.Hint == "" {
		t.Errorf("%v has no hint", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than a line: %q", err)
	}
}

func TestOpenWithAnUnreadableHead(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	writeFile(t, filepath.Join(dir, ".git", "refs", "heads", "main"), strings.Repeat("1", 40)+"\n", 0o644)
	_, err := Open(t.Context(), dir)
	if err == nil || errors.Is(err, ErrNoCommit) || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("got %v", err)
	}
}

// The git of these tests is a script in a PATH of their own, so they cannot run in parallel with the others.
func TestOpenWithAnotherGit(t *testing.T) {
	dir := newHost(t, "project")
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, script string
		want         error
	}{
		{"none", "", ErrNoGit},
		{"one that does not work", "echo 'xcrun: error: invalid active developer path' >&2; exit 1", ErrNoGit},
		{"another program", "echo hello", ErrNoGit},
		{"an old one", "echo 'git version 2.17.1'", ErrGitTooOld},
		{"one that refuses another user's repository", "GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec " + quote(real) + ` "$@"`, ErrUnsafe},
	} {
		t.Run(tt.name, func(t *testing.T) {
			usePath(t, tt.script)
			_, err := Open(t.Context(), dir)
			wantOpenError(t, err, tt.want, dir)
			if e, ok := errors.AsType[*OpenError](err); ok && errors.Is(err, ErrUnsafe) && !strings.Contains(e.Hint, quote(dir)) {
				t.Errorf("hint %q does not name %s", e.Hint, dir)
			}
		})
	}
}

// usePath makes script the only git there is; an empty one stands for none.
func usePath(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	if script != "" {
		writeFile(t, filepath.Join(bin, "git"), "#!/bin/sh\n"+script+"\n", 0o755)
	}
	t.Setenv("PATH", bin)
}

func TestOpenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOpenIgnoresAnInheritedGitDir(t *testing.T) {
	dir, other := newHost(t, "project"), newHost(t, "other")
	t.Setenv("GIT_DIR", filepath.Join(other, ".git"))
	r := mustOpen(t, dir)
	if r.Root != dir {
		t.Errorf("root %s, want %s", r.Root, dir)
	}
}
