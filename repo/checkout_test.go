package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckoutBringsHistoryAndIdentity(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	hostGit(t, dir, "config", "user.name", "Ada O'Lovelace")
	hostGit(t, dir, "config", "user.email", "ada@example.com")
	before := fingerprint(t, dir)
	host := mustOpen(t, dir)
	in := newInside(t, host)
	ws := filepath.Join(in.dir, "workspaces", "project")
	var lines []string
	if err := host.Checkout(t.Context(), in, ws, "brave-otter", func(l string) { lines = append(lines, l) }); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"commit", []string{"rev-parse", "HEAD"}, host.Head},
		{"branch", []string{"symbolic-ref", "HEAD"}, "refs/heads/sketch/brave-otter"},
		{"only that branch", []string{"for-each-ref", "--format=%(refname)", "refs/heads"}, "refs/heads/sketch/brave-otter"},
		{"history", []string{"rev-list", "--count", "HEAD"}, "3"},
		{"clean", []string{"status", "--porcelain"}, ""},
		{"sound", []string{"fsck", "--full", "--strict"}, ""},
		{"host's branches", []string{"for-each-ref", "--format=%(refname)", "refs/remotes"}, "refs/remotes/sketch-host/main\nrefs/remotes/sketch-host/other"},
		{"tags", []string{"describe", "--tags", "--always", "v1"}, "v1"},
		{"where it started", []string{"rev-parse", "refs/sketch/base"}, host.Head},
		{"name", []string{"config", "--local", "user.name"}, "Ada O'Lovelace"},
		{"email", []string{"config", "--local", "user.email"}, "ada@example.com"},
		{"remote", []string{"remote", "get-url", "sketch-host"}, "sketch://host"},
	} {
		if got := in.git(ws, tt.args...); got != tt.want {
			t.Errorf("%s: git %s: got %q, want %q", tt.name, strings.Join(tt.args, " "), got, tt.want)
		}
	}
	if got, err := os.ReadFile(filepath.Join(ws, "file2.txt")); err != nil || string(got) != "content 2\n" {
		t.Errorf("file2.txt: %q, %v", got, err)
	}
	if !slices.Contains(lines, "Counting objects: 100% (10/10)") {
		t.Errorf("reported %q", lines)
	}
	if diff := cmp.Diff(before, fingerprint(t, dir)); diff != "" {
		t.Errorf("the host's repository changed:\n%s", diff)
	}
	if left, err := os.ReadDir(host.Scratch); err != nil || len(left) != 0 {
		t.Errorf("left in the scratch folder: %v, %v", left, err)
	}

	fresh := commit(t, dir, "later.txt", "later\n")
	in.git(ws, "fetch", "-q", "sketch-host")
	if got := in.git(ws, "rev-parse", "sketch-host/main"); got != fresh {
		t.Errorf("git fetch sketch-host: main is %s, want %s", got, fresh)
	}
}

func TestCheckoutOfEveryKindOfRepository(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		dir  func(t *testing.T) string
	}{
		{"linked worktree", func(t *testing.T) string {
			tree := filepath.Join(realTemp(t), "tree")
			hostGit(t, newHost(t, "project"), "worktree", "add", "-q", "-b", "side", tree)
			commit(t, tree, "side.txt", "side\n")
			return tree
		}},
		{"detached at a commit without a branch", func(t *testing.T) string {
			dir := newHost(t, "project")
			hostGit(t, dir, "checkout", "-q", "--detach")
			commit(t, dir, "loose.txt", "loose\n")
			return dir
		}},
		{"packed refs and objects", func(t *testing.T) string {
			dir := newHost(t, "project")
			hostGit(t, dir, "gc", "-q")
			return dir
		}},
		{"objects borrowed from another repository", func(t *testing.T) string {
			dir := realTemp(t)
			hostGit(t, dir, "clone", "-q", "--shared", newHost(t, "project"), "borrower")
			return filepath.Join(dir, "borrower")
		}},
		{"shallow", func(t *testing.T) string {
			dir := realTemp(t)
			hostGit(t, dir, "clone", "-q", "--depth=2", "file://"+newHost(t, "project"), "shallow")
			return filepath.Join(dir, "shallow")
		}},
		{"SHA-256", func(t *testing.T) string { return newHost(t, "project", "--object-format=sha256") }},
		{"submodule's own folder", func(t *testing.T) string {
			outer := newHost(t, "outer")
			hostGit(t, outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", newHost(t, "inner"), "sub")
			return filepath.Join(outer, "sub")
		}},
		{"with a submodule", func(t *testing.T) string {
			outer := newHost(t, "outer")
			hostGit(t, outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", newHost(t, "inner"), "sub")
			hostGit(t, outer, "commit", "-q", "-m", "add submodule")
			return outer
		}},
		{"autocrlf", func(t *testing.T) string {
			dir := newHost(t, "project")
			hostGit(t, dir, "config", "core.autocrlf", "true")
			commit(t, dir, "dos.txt", "one\r\ntwo\r\n")
			return dir
		}},
		{"Git LFS", func(t *testing.T) string {
			dir := newHost(t, "project")
			commit(t, dir, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
			commit(t, dir, "large.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:"+strings.Repeat("0", 64)+"\nsize 1\n")
			return dir
		}},
		{"through a symbolic link, below the root", func(t *testing.T) string {
			dir := newHost(t, "project")
			commit(t, dir, "sub/x", "x\n")
			link := filepath.Join(realTemp(t), "link")
			if err := os.Symlink(filepath.Join(dir, "sub"), link); err != nil {
				t.Fatal(err)
			}
			return link
		}},
		{"an awkward name", func(t *testing.T) string { return newHost(t, "we ird; rm -rf $HOME 'quoted' \"twice\" `id` é\\n -x") }},
		{"a name like an option", func(t *testing.T) string { return newHost(t, "--upload-pack=touch pwned") }},
		{"awkward branches", func(t *testing.T) string {
			dir := newHost(t, "project")
			hostGit(t, dir, "checkout", "-q", "-b", "a/b;$(touch${IFS}pwned)'\"é")
			commit(t, dir, "x", "x\n")
			return dir
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := tt.dir(t)
			host := mustOpen(t, dir)
			before := fingerprint(t, host.CommonDir)
			in := newInside(t, host)
			ws := filepath.Join(in.dir, "workspaces", host.Name)
			in.checkout(host, ws, "s")
			if got := in.git(ws, "rev-parse", "HEAD"); got != host.Head {
				t.Errorf("HEAD is %s, want %s", got, host.Head)
			}
			if got, want := in.git(ws, "rev-list", "--count", "HEAD"), hostGit(t, dir, "rev-list", "--count", "HEAD"); got != want {
				t.Errorf("%s commits, want %s", got, want)
			}
			if got, want := in.git(ws, "ls-tree", "-r", "HEAD"), hostGit(t, dir, "ls-tree", "--full-tree", "-r", "HEAD"); got != want {
				t.Errorf("tree:\n%s\nwant:\n%s", got, want)
			}
			if got := in.git(ws, "status", "--porcelain"); got != "" {
				t.Errorf("status:\n%s", got)
			}
			if diff := cmp.Diff(before, fingerprint(t, host.CommonDir)); diff != "" {
				t.Errorf("the host's repository changed:\n%s", diff)
			}
			comesBack(t, host, in, ws)
		})
	}
}

func TestCheckoutOfACommitThatWasAmendedSince(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	host := mustOpen(t, dir)
	hostGit(t, dir, "commit", "-q", "--amend", "-m", "amended")
	in := newInside(t, host)
	ws := filepath.Join(in.dir, "project")
	in.checkout(host, ws, "s")
	if got := in.git(ws, "rev-parse", "HEAD"); got != host.Head {
		t.Errorf("HEAD is %s, want %s as it was opened", got, host.Head)
	}
}

func TestCheckoutAgainLeavesWorkAlone(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	host := mustOpen(t, dir)
	in := newInside(t, host)
	ws := filepath.Join(in.dir, "project")
	in.checkout(host, ws, "s")
	writeFile(t, filepath.Join(ws, "file0.txt"), "edited\n", 0o644)
	in.git(ws, "commit", "-q", "--allow-empty", "-m", "work")
	in.git(ws, "checkout", "-q", "-b", "elsewhere")
	head := in.git(ws, "rev-parse", "HEAD")
	commit(t, dir, "more.txt", "more\n")

	in.checkout(mustOpen(t, dir), ws, "s")
	if got := in.git(ws, "rev-parse", "HEAD"); got != head {
		t.Errorf("HEAD moved from %s to %s", head, got)
	}
	if got := in.git(ws, "symbolic-ref", "--short", "HEAD"); got != "elsewhere" {
		t.Errorf("on branch %s", got)
	}
	if got, err := os.ReadFile(filepath.Join(ws, "file0.txt")); err != nil || string(got) != "edited\n" {
		t.Errorf("file0.txt: %q, %v", got, err)
	}
}

func TestCheckoutStartsOverAfterAnInterruption(t *testing.T) {
	t.Parallel()
	host := mustOpen(t, newHost(t, "project"))
	in := newInside(t, host)
	ws := filepath.Join(in.dir, "project")
	hostGit(t, in.dir, "init", "-q", ws)
	for _, lock := range []string{"index.lock", "config.lock", "shallow.lock"} {
		writeFile(t, filepath.Join(ws, ".git", lock), "", 0o644)
	}
	writeFile(t, filepath.Join(ws, "file1.txt"), "half", 0o644)
	in.checkout(host, ws, "s")
	if got := in.git(ws, "status", "--porcelain"); got != "" {
		t.Errorf("status:\n%s", got)
	}
}

func TestCheckoutIntoAFolderOfTheImage(t *testing.T) {
	t.Parallel()
	host := mustOpen(t, newHost(t, "project"))
	in := newInside(t, host)
	ws := filepath.Join(in.dir, "project")
	writeFile(t, filepath.Join(ws, "file1.txt"), "the image's\n", 0o644)
	writeFile(t, filepath.Join(ws, "node_modules", "x.js"), "kept\n", 0o644)
	in.checkout(host, ws, "s")
	if got := in.git(ws, "status", "--porcelain"); got != "?? node_modules/" {
		t.Errorf("status: %q", got)
	}
}

func TestCheckoutsAtOnce(t *testing.T) {
	t.Parallel()
	host := mustOpen(t, newHost(t, "project"))
	in := newInside(t, host)
	const n = 2*maxServing + 1
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			ws := filepath.Join(in.dir, fmt.Sprint(i), "project")
			errs[i] = host.Checkout(t.Context(), in, ws, fmt.Sprintf("s%d", i), func(string) {})
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestCheckoutFails(t *testing.T) {
	t.Parallel()
	host := mustOpen(t, newHost(t, "project"))
	t.Run("without git inside", func(t *testing.T) {
		t.Parallel()
		in := newInside(t, host)
		bin := t.TempDir()
		for _, tool := range []string{"sh", "mkdir", "rm"} {
			if err := os.Symlink("/bin/"+tool, filepath.Join(bin, tool)); err != nil {
				t.Fatal(err)
			}
		}
		in.env = append(in.env, "PATH="+bin)
		err := host.Checkout(t.Context(), in, filepath.Join(in.dir, "p"), "s", func(string) {})
		if !errors.Is(err, ErrNoGitInside) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("without a host that answers", func(t *testing.T) {
		t.Parallel()
		in := newInside(t, host)
		in.env = append(in.env, socketVariable+"="+filepath.Join(in.dir, "absent"))
		err := host.Checkout(t.Context(), in, filepath.Join(in.dir, "p"), "s", func(string) {})
		if err == nil || !strings.Contains(err.Error(), "git-remote-sketch") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("where the workspace cannot be made", func(t *testing.T) {
		t.Parallel()
		in := newInside(t, host)
		writeFile(t, filepath.Join(in.dir, "file"), "", 0o644)
		err := host.Checkout(t.Context(), in, filepath.Join(in.dir, "file", "p"), "s", func(string) {})
		if err == nil || !strings.Contains(err.Error(), "mkdir") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("with a slug that is no branch name", func(t *testing.T) {
		t.Parallel()
		in := newInside(t, host)
		if err := host.Checkout(t.Context(), in, in.dir, "a b", func(string) {}); !errors.Is(err, ErrSlug) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("when its context ends", func(t *testing.T) {
		t.Parallel()
		in := newInside(t, host)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := host.Checkout(ctx, in, in.dir, "s", func(string) {}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// comesBack checks that what is not committed outside can come along, and that what is committed inside comes back.
func comesBack(t *testing.T, host *Repo, in *inside, ws string) {
	t.Helper()
	writeFile(t, filepath.Join(host.Root, "draft.txt"), "one\r\ntwo\n", 0o644)
	if err := host.CarryUncommitted(t.Context(), in, ws); err != nil {
		t.Error(err)
	}
	if status := in.git(ws, "status", "--porcelain"); !strings.Contains(status, "?? draft.txt") {
		t.Errorf("status with a new file:\n%s", status)
	}
	w := &work{inside: in, host: host, dir: host.Root, workspace: ws, pull: Pull{Session: "sketch-s", Workspace: ws, Base: host.Head, Wish: "sketch/s"}}
	w.commit("inside.txt", "inside\n")
	w.mustOut("sketch/s")
	d, err := host.Diff(t.Context(), host.Head, w.tip(), DiffOptions{})
	if err != nil || len(d.Files) != 1 || d.Files[0].Path != "inside.txt" {
		t.Errorf("diff: %+v, %v", d, err)
	}
	if _, err := host.Merge(t.Context(), Merge{Branch: "sketch/s", Tip: w.tip(), DryRun: true}); err != nil {
		t.Errorf("merge: %v", err)
	}
}
