package repo

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// copier is an inside that takes packs.
type copier struct {
	*inside
	took []string
	fail error
}

func (c *copier) PutPack(_ context.Context, workspace, name string, size int64, content io.Reader) error {
	c.took = append(c.took, name)
	data, err := io.ReadAll(content)
	if err != nil || int64(len(data)) != size || c.fail != nil {
		return errors.Join(err, c.fail)
	}
	return os.WriteFile(filepath.Join(workspace, ".git", "objects", "pack", name), data, 0o444)
}

// copied checks a repository out of which all packs are copied that may be.
func copied(t *testing.T, dir string, fail error) (*copier, string) {
	t.Helper()
	host := mustOpen(t, dir)
	host.copyFrom = 0
	c := &copier{inside: newInside(t, host), fail: fail}
	workspace := filepath.Join(c.dir, "w")
	if err := host.Checkout(t.Context(), c, workspace, "fix", func(string) {}); err != nil {
		t.Fatal(err)
	}
	if err := host.Checkout(t.Context(), c, workspace, "fix", func(string) {}); err != nil {
		t.Errorf("once more: %v", err)
	}
	if head := c.git(workspace, "symbolic-ref", "--short", "HEAD"); head != "sketch/fix" || c.git(workspace, "rev-parse", "HEAD") != host.Head {
		t.Errorf("on %s at %s, want %s", head, c.git(workspace, "rev-parse", "HEAD"), host.Head)
	}
	if status := c.git(workspace, "status", "--porcelain"); status != "" {
		t.Errorf("status: %s", status)
	}
	c.git(workspace, "fsck", "--strict")
	want := strings.ReplaceAll(hostGit(t, dir, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"), "refs/heads/", "refs/remotes/sketch-host/")
	got := c.git(workspace, "for-each-ref", "--format=%(objectname) %(refname)", "refs/remotes/sketch-host", "refs/tags")
	if got != want {
		t.Errorf("refs inside:\n%s\nwant\n%s", got, want)
	}
	return c, workspace
}

func TestCheckoutCopiesPacks(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(dir string){
		"one pack":            func(dir string) { hostGit(t, dir, "repack", "-q", "-a", "-d") },
		"a pack and the rest": func(dir string) { hostGit(t, dir, "repack", "-q", "-a", "-d"); commit(t, dir, "later", "later\n") },
		"a pack with a bitmap": func(dir string) {
			hostGit(t, dir, "repack", "-q", "-a", "-d", "-b")
			commit(t, dir, "later", "later\n")
		},
		"two packs": func(dir string) {
			hostGit(t, dir, "repack", "-q", "-d")
			commit(t, dir, "later", "later\n")
			hostGit(t, dir, "repack", "-q", "-d")
		},
		"no pack": func(string) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newHost(t, "a [project]*\n\"x\"")
			prepare(dir)
			before := fingerprint(t, dir)
			c, _ := copied(t, dir, nil)
			if len(c.took) == 0 || len(c.took)%2 != 0 {
				t.Errorf("took %v", c.took)
			}
			for path, print := range fingerprint(t, dir) {
				if before[path] != print {
					t.Errorf("the host's %s was changed", path)
				}
			}
		})
	}
}

func TestCheckoutCopiesSHA256AndShallow(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project", "--object-format=sha256")
	hostGit(t, dir, "repack", "-q", "-a", "-d")
	copied(t, dir, nil)

	shallow := filepath.Join(realTemp(t), "shallow")
	hostGit(t, filepath.Dir(shallow), "clone", "-q", "--depth=2", "file://"+newHost(t, "origin"), shallow)
	_, workspace := copied(t, shallow, nil)
	if log := hostGit(t, workspace, "log", "--oneline"); strings.Count(log, "\n") != 1 {
		t.Errorf("history of the shallow clone inside:\n%s", log)
	}
}

func TestCheckoutFetchesWhatCannotBeCopied(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	hostGit(t, dir, "repack", "-q", "-a", "-d")
	copied(t, dir, errors.New("no space"))
}

// A pack of the user's has more than the container may see: commits that were amended away, stashes, branches of other remotes.
func TestSecurityCopyLeavesOutWhatIsNotOnOffer(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	var secrets []string
	for _, ref := range []string{"refs/stash", "refs/remotes/origin/private", "refs/gone"} {
		writeFile(t, filepath.Join(dir, "secret"), "secret of "+ref+"\n", 0o600)
		blob := hostGit(t, dir, "hash-object", "-w", "secret")
		hostGit(t, dir, "add", "secret")
		id := hostGit(t, dir, "commit-tree", "-p", "HEAD", "-m", "secret", hostGit(t, dir, "write-tree"))
		hostGit(t, dir, "update-ref", ref, id)
		hostGit(t, dir, "rm", "-q", "--cached", "secret")
		secrets = append(secrets, blob, id)
	}
	hostGit(t, dir, "repack", "-q", "-a", "-d")
	hostGit(t, dir, "update-ref", "-d", "refs/gone") // amended away, and still in the pack
	if err := os.Remove(filepath.Join(dir, "secret")); err != nil {
		t.Fatal(err)
	}
	c, workspace := copied(t, dir, nil)
	if len(c.took) != 2 {
		t.Errorf("took %v", c.took)
	}
	for _, id := range secrets {
		if out, err := c.tryGit(workspace, "cat-file", "-t", id); err == nil {
			t.Errorf("%s is inside: a %s", id, out)
		}
	}
}
