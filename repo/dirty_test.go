package repo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// filesOf are the files of a working tree, with their modes and contents.
func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for path, print := range contents(t, dir) {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Lstat(path); err == nil && !info.IsDir() && !strings.HasPrefix(name, ".git/") {
			if target, err := os.Readlink(path); err == nil {
				print = "-> " + target
			}
			files[name] = print
		}
	}
	return files
}

func TestUncommittedChangesComeAlong(t *testing.T) {
	t.Parallel()
	for name, init := range map[string][]string{"sha1": nil, "sha256": {"--object-format=sha256"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newHost(t, "project", init...)
			writeFile(t, filepath.Join(dir, ".gitignore"), "ignored\n", 0o644)
			writeFile(t, filepath.Join(dir, "script"), "#!/bin/sh\n", 0o644)
			writeFile(t, filepath.Join(dir, "sub/moved"), "moved\n", 0o644)
			hostGit(t, dir, "add", ".")
			hostGit(t, dir, "commit", "-q", "-m", "more")
			host := mustOpen(t, filepath.Join(dir, "sub")) // a folder below the root: all of it comes
			in := newInside(t, host)
			workspace := filepath.Join(in.dir, "w")
			in.checkout(host, workspace, "fix")

			writeFile(t, filepath.Join(dir, "file0.txt"), "staged\n", 0o644)
			hostGit(t, dir, "add", "file0.txt")
			writeFile(t, filepath.Join(dir, "file0.txt"), "staged, and changed again\n", 0o644)
			hostGit(t, dir, "rm", "-q", "--cached", "file1.txt") // staged as deleted, still there
			hostGit(t, dir, "mv", "sub/moved", "renamed")
			writeFile(t, filepath.Join(dir, "new staged"), "x\n", 0o644)
			hostGit(t, dir, "add", "new staged")
			writeFile(t, filepath.Join(dir, "untracked/deep"), "y\n", 0o755)
			writeFile(t, filepath.Join(dir, "ignored"), "z\n", 0o644)
			if err := errors.Join(os.Remove(filepath.Join(dir, "file2.txt")), os.Chmod(filepath.Join(dir, "script"), 0o755), os.Symlink("file0.txt", filepath.Join(dir, "link"))); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			if err := host.CarryUncommitted(t.Context(), in, workspace); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
				t.Error("the host's repository was changed:\n", diff)
			}
			if diff := cmp.Diff(hostGit(t, dir, "status", "--porcelain"), in.git(workspace, "status", "--porcelain")); diff != "" {
				t.Error("status:\n", diff)
			}
			want := filesOf(t, dir)
			delete(want, "ignored")
			if diff := cmp.Diff(want, filesOf(t, workspace)); diff != "" {
				t.Error("files:\n", diff)
			}
			if diff := cmp.Diff(hostGit(t, dir, "ls-files", "-s"), in.git(workspace, "ls-files", "-s")); diff != "" {
				t.Error("index:\n", diff)
			}
			if head := in.git(workspace, "rev-parse", "HEAD"); head != host.Head {
				t.Errorf("HEAD inside is %s", head)
			}
			if left, _ := os.ReadDir(host.Scratch); len(left) > 0 {
				t.Errorf("left in the scratch folder: %v", left)
			}
		})
	}
}

func TestUncommittedConflictsAreRefused(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	hostGit(t, dir, "switch", "-q", "other")
	commit(t, dir, "file0.txt", "other\n")
	hostGit(t, dir, "switch", "-q", "main")
	host := mustOpen(t, dir)
	in := newInside(t, host)
	workspace := filepath.Join(in.dir, "w")
	in.checkout(host, workspace, "fix")
	commit(t, dir, "file0.txt", "main\n")
	if out, err := (&inside{t: t, env: os.Environ()}).tryGit(dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "merge", "other"); err == nil {
		t.Fatalf("no conflict: %s", out)
	}
	if err := host.CarryUncommitted(t.Context(), in, workspace); !errors.Is(err, ErrUnmerged) {
		t.Errorf("%v", err)
	}
}
