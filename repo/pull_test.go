package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// work is a session's two ends: the host's repository, and its copy inside on branch sketch/fix.
type work struct {
	*inside
	host      *Repo
	dir       string // on the host
	workspace string // inside
	pull      Pull
}

func newWork(t *testing.T, initArgs ...string) *work {
	t.Helper()
	dir := newHost(t, "project", initArgs...)
	host := mustOpen(t, dir)
	w := &work{inside: newInside(t, host), host: host, dir: dir}
	w.workspace = filepath.Join(w.inside.dir, "w")
	w.checkout(host, w.workspace, "fix")
	w.pull = Pull{Session: "sketch-brave-otter", Workspace: w.workspace, Base: host.Head, Wish: "sketch/fix"}
	return w
}

// commit commits inside and returns the commit's name.
func (w *work) commit(file, content string) string {
	w.t.Helper()
	writeFile(w.t, filepath.Join(w.workspace, file), content, 0o644)
	w.git(w.workspace, "add", "--", file)
	w.git(w.workspace, "commit", "-q", "-m", "inside: "+file)
	return w.tip()
}

func (w *work) tip() string { return w.git(w.workspace, "rev-parse", "HEAD") }

// out pulls what is inside now.
func (w *work) out() (string, error) {
	p := w.pull
	p.Tip = w.tip()
	return w.host.Pull(w.t.Context(), w, p)
}

func (w *work) mustOut(want string) {
	w.t.Helper()
	branch, err := w.out()
	if err != nil || branch != want {
		w.t.Fatalf("pulled as %q, %v; want %q", branch, err, want)
	}
	if got := hostGit(w.t, w.dir, "rev-parse", want); got != w.tip() {
		w.t.Fatalf("%s is at %s, inside is %s", want, got, w.tip())
	}
}

// everything but what a session may write: refs outside its own, HEAD, the index, the configuration and the files.
func (w *work) rest() map[string]string {
	w.t.Helper()
	prints := fingerprint(w.t, w.dir)
	for path := range prints {
		in, _ := filepath.Rel(filepath.Join(w.dir, ".git"), path)
		if in == "." || strings.HasPrefix(in, "objects") || strings.HasPrefix(in, "refs/heads/sketch") || in == "refs/heads" || in == "refs" ||
			strings.HasPrefix(in, "refs/sketch") || strings.HasPrefix(in, "logs/refs/heads/sketch") || in == "logs/refs/heads" {
			delete(prints, path)
		}
	}
	return prints
}

func TestPullBringsCommitsOutAndTouchesNothingElse(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			w := newWork(t, "--object-format="+format)
			before := w.rest()
			w.commit("a.txt", "one\n")
			w.mustOut("sketch/fix")
			w.commit("a.txt", "two\n")
			w.commit("b.txt", "three\n")
			w.mustOut("sketch/fix")
			for i := range 60 { // more than are kept loose
				writeFile(t, filepath.Join(w.workspace, fmt.Sprint("many", i)), fmt.Sprint(i), 0o644)
				w.git(w.workspace, "add", ".")
			}
			for i := range 25 {
				w.commit(fmt.Sprint("c", i), fmt.Sprint(i))
			}
			w.mustOut("sketch/fix")
			w.git(w.workspace, "reset", "-q", "--hard", "HEAD~20")
			w.mustOut("sketch/fix") // a rewritten branch is ours to move
			w.git(w.workspace, "reset", "-q", "--hard", w.pull.Base)
			w.mustOut("sketch/fix")
			if diff := cmp.Diff(before, w.rest()); diff != "" {
				t.Error("the host's repository was changed:\n", diff)
			}
			hostGit(t, w.dir, "fsck", "--strict")
			if left, _ := os.ReadDir(w.host.Scratch); len(left) > 0 {
				t.Errorf("left in the scratch folder: %v", left)
			}
		})
	}
}

func TestPullNeverOverwritesWhatOthersWrote(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	hostGit(t, w.dir, "branch", "sketch/fix", "other") // somebody's own
	w.commit("a.txt", "one\n")
	w.mustOut("sketch/fix-2")
	if got, want := hostGit(t, w.dir, "rev-parse", "sketch/fix"), hostGit(t, w.dir, "rev-parse", "other"); got != want {
		t.Errorf("sketch/fix was moved to %s", got)
	}
	w.pull.Now = "sketch/fix-2"
	w.commit("a.txt", "two\n")
	w.mustOut("sketch/fix-2")
	moved := hostGit(t, w.dir, "commit-tree", "-p", "sketch/fix-2", "-m", "mine", "HEAD^{tree}")
	hostGit(t, w.dir, "update-ref", "refs/heads/sketch/fix-2", moved) // its owner went on with it
	w.commit("a.txt", "three\n")
	w.mustOut("sketch/fix-3")
	if got := hostGit(t, w.dir, "rev-parse", "sketch/fix-2"); got != moved {
		t.Errorf("sketch/fix-2 was moved to %s", got)
	}
	w.pull.Now = "sketch/fix-3"
	hostGit(t, w.dir, "branch", "-q", "-D", "sketch/fix-3") // deleted: it comes back with the next commit
	w.commit("a.txt", "four\n")
	w.mustOut("sketch/fix-3")
}

func TestPullLeavesACheckedOutBranchAlone(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"here", "in a linked worktree", "in a rebase"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWork(t)
			first := w.commit("a.txt", "one\n")
			w.mustOut("sketch/fix")
			tree := w.dir
			switch how {
			case "here":
				hostGit(t, w.dir, "switch", "-q", "sketch/fix")
			case "in a linked worktree":
				tree = filepath.Join(realTemp(t), "linked")
				hostGit(t, w.dir, "worktree", "add", "-q", tree, "sketch/fix")
			case "in a rebase":
				hostGit(t, w.dir, "switch", "-q", "sketch/fix")
				hostGit(t, w.dir, "-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-q", "-i", "HEAD~1")
			}
			second := w.commit("a.txt", "two\n")
			_, err := w.out()
			out, ok := errors.AsType[*CheckedOutError](err)
			if !ok || out.Branch != "sketch/fix" {
				t.Fatalf("pull: %v", err)
			}
			if got := hostGit(t, w.dir, "rev-parse", "refs/heads/sketch/fix"); got != first {
				t.Errorf("the checked-out branch was moved to %s", got)
			}
			if got := hostGit(t, w.dir, "rev-parse", out.Ref); got != second {
				t.Errorf("%s is at %s, want the new commit", out.Ref, got)
			}
			if status := hostGit(t, tree, "status", "--porcelain"); status != "" {
				t.Errorf("the working tree became dirty:\n%s", status)
			}
			if how == "in a rebase" {
				hostGit(t, w.dir, "rebase", "--abort")
			}
			hostGit(t, tree, "switch", "-q", "--detach")
			w.mustOut("sketch/fix")
		})
	}
}

// hostile is a container that sends what it likes.
type hostile func(ctx context.Context, stdin io.Reader, stdout io.Writer) error

func (h hostile) Output(ctx context.Context, _ string, stdin io.Reader, stdout io.Writer, _ func(string)) error {
	return h(ctx, stdin, stdout)
}

// pack sends the objects with these names from the repository at dir.
func (w *work) pack(dir string, names ...string) hostile {
	return func(ctx context.Context, _ io.Reader, stdout io.Writer) error {
		var list strings.Builder
		for _, name := range names {
			list.WriteString(name + "\n")
		}
		call := gitCall{dir: dir, args: []string{"pack-objects", "--stdout", "-q"}, in: strings.NewReader(list.String()), out: stdout}
		return call.run(ctx)
	}
}

// object writes an object inside, however wrong it is.
func (w *work) object(kind, content string) string {
	w.t.Helper()
	var id strings.Builder
	call := gitCall{dir: w.workspace, args: []string{"hash-object", "-w", "--literally", "--stdin", "-t", kind}, in: strings.NewReader(content), out: &id}
	if err := call.run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(id.String())
}

func (w *work) tree(entries ...string) string {
	w.t.Helper()
	var id strings.Builder
	call := gitCall{dir: w.workspace, args: []string{"mktree", "--missing"}, in: strings.NewReader(strings.Join(entries, "\n") + "\n"), out: &id}
	if err := call.run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(id.String())
}

func (w *work) commitTree(tree string) string {
	return w.git(w.workspace, "commit-tree", "-p", w.pull.Base, "-m", "evil", tree)
}

// Whatever a container sends: nothing of it reaches the host's repository when anything is wrong with it.
func TestSecurityHostileContainerChangesNothing(t *testing.T) {
	t.Parallel()
	for name, attack := range map[string]func(w *work) (tip string, src Source, want error){
		"garbage": func(w *work) (string, Source, error) {
			return w.commit("a.txt", "one\n"), hostile(func(_ context.Context, _ io.Reader, out io.Writer) error {
				_, err := io.WriteString(out, "HTTP/1.1 200 OK\r\n\r\n")
				return err
			}), ErrBadObjects
		},
		"nothing": func(w *work) (string, Source, error) {
			return strings.Repeat("1", 40), hostile(func(context.Context, io.Reader, io.Writer) error { return nil }), ErrBadObjects
		},
		"a cut pack": func(w *work) (string, Source, error) {
			tip := w.commit("a.txt", strings.Repeat("x", 10_000))
			return tip, hostile(func(ctx context.Context, in io.Reader, out io.Writer) error {
				_ = w.Output(ctx, "cd w; git pack-objects --revs --stdout -q <<.\n"+tip+"\n.\n", nil, &bounded{w: out, left: 100}, func(string) {})
				return nil
			}), ErrBadObjects
		},
		"an endless stream": func(w *work) (string, Source, error) {
			return w.commit("a.txt", "one\n"), hostile(func(_ context.Context, _ io.Reader, out io.Writer) error {
				if _, err := out.Write([]byte{'P', 'A', 'C', 'K', 0, 0, 0, 2, 0, 0x0f, 0xff, 0xff}); err != nil {
					return err
				}
				for {
					// An empty blob, stored: a header byte and a zlib stream.
					if _, err := out.Write([]byte{0x30, 0x78, 0x9c, 0x03, 0, 0, 0, 0, 1}); err != nil {
						return err
					}
				}
			}), ErrTooBig
		},
		"a huge pack": func(w *work) (string, Source, error) {
			random := make([]byte, 3<<20)
			for i, x := 0, uint32(1); i < len(random); i++ {
				x = x*1664525 + 1013904223
				random[i] = byte(x >> 24)
			}
			return w.commit("big", string(random)), w, ErrTooBig
		},
		"the name of an option": func(w *work) (string, Source, error) { return "--upload-pack=touch /tmp/pwned", w, ErrBadObjects },
		"a tree for a commit": func(w *work) (string, Source, error) {
			return w.git(w.workspace, "rev-parse", w.commit("a", "a")+"^{tree}"), w, ErrBadObjects
		},
		"a commit without its files": func(w *work) (string, Source, error) {
			tip := w.commit("a.txt", "one\n")
			return tip, w.pack(w.workspace, tip), ErrBadObjects
		},
		"a .git in the tree": func(w *work) (string, Source, error) {
			evil := w.tree("100644 blob " + w.object("blob", "[core]\nfsmonitor=touch /tmp/pwned\n") + "\tconfig")
			tip := w.commitTree(w.tree("040000 tree " + evil + "\t.git"))
			return tip, w, ErrBadObjects
		},
		"a .GIT~1 in the tree": func(w *work) (string, Source, error) {
			return w.commitTree(w.tree("100644 blob " + w.object("blob", "x") + "\tGIT~1")), w, ErrBadObjects
		},
		"a .. in the tree": func(w *work) (string, Source, error) {
			up := w.tree("100644 blob " + w.object("blob", "x") + "\tx")
			return w.commitTree(w.object("tree", "40000 ..\x00"+unhex(w.t, up))), w, ErrBadObjects
		},
		"a slash in a name": func(w *work) (string, Source, error) {
			return w.commitTree(w.object("tree", "100644 a/../../b\x00"+unhex(w.t, w.object("blob", "x")))), w, ErrBadObjects
		},
		"a command in .gitmodules": func(w *work) (string, Source, error) {
			modules := w.object("blob", "[submodule \"x\"]\n\tpath = x\n\turl = -u./payload\n")
			return w.commitTree(w.tree("100644 blob " + modules + "\t.gitmodules")), w, ErrBadObjects
		},
		"a link for .gitmodules": func(w *work) (string, Source, error) {
			return w.commitTree(w.tree("120000 blob " + w.object("blob", "/etc/passwd") + "\t.gitmodules")), w, ErrBadObjects
		},
		"a commit with two authors": func(w *work) (string, Source, error) {
			tree := w.git(w.workspace, "rev-parse", "HEAD^{tree}")
			return w.object("commit", "tree "+tree+"\nauthor a <a> 1 +0000\nauthor b <b> 1 +0000\ncommitter a <a> 1 +0000\n\nx\n"), w, ErrBadObjects
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWork(t)
			w.pull.MaxPack = 2 << 20
			tip, src, want := attack(w)
			before := fingerprint(t, w.dir)
			p := w.pull
			p.Tip = tip
			branch, err := w.host.Pull(t.Context(), src, p)
			if !errors.Is(err, want) {
				t.Errorf("pulled as %q, %v; want %v", branch, err, want)
			}
			if diff := cmp.Diff(before, fingerprint(t, w.dir)); diff != "" {
				t.Error("the host's repository was changed:\n", diff)
			}
			if left, _ := os.ReadDir(w.host.Scratch); len(left) > 0 {
				t.Errorf("left in the scratch folder: %v", left)
			}
		})
	}
}

// A container that knows the name of a commit or file which it may not see cannot have it published, and so offered to it.
func TestSecurityContainerCannotFetchByNaming(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	writeFile(t, filepath.Join(w.dir, "secret"), "the password\n", 0o600)
	blob := hostGit(t, w.dir, "hash-object", "-w", "secret")
	hostGit(t, w.dir, "add", "secret")
	secret := hostGit(t, w.dir, "commit-tree", "-m", "amended away", hostGit(t, w.dir, "write-tree"))
	hostGit(t, w.dir, "rm", "-q", "--cached", "secret")
	tree := w.tree("100644 blob " + blob + "\tstolen")
	over := w.commitTree(tree)
	onto := w.git(w.workspace, "-c", "core.checkStat=minimal", "commit-tree", "-p", w.pull.Base, "-m", "x", w.pull.Base+"^{tree}")
	parent := w.object("commit", strings.Replace(w.git(w.workspace, "cat-file", "commit", onto), "parent "+w.pull.Base, "parent "+secret, 1)+"\n")
	for name, tip := range map[string]string{"the commit itself": secret, "a file of it": over, "a child of it": parent} {
		var names []string
		switch tip {
		case over:
			names = []string{over, tree}
		case parent:
			names = []string{parent}
		}
		p := w.pull
		p.Tip = tip
		branch, err := w.host.Pull(t.Context(), w.pack(w.workspace, names...), p)
		if !errors.Is(err, ErrNotOffered) {
			t.Errorf("%s: pulled as %q, %v", name, branch, err)
		}
		if out := hostGit(t, w.dir, "for-each-ref", "refs/heads/sketch", "refs/sketch"); out != "" {
			t.Errorf("%s: refs were written:\n%s", name, out)
		}
	}
}

func TestPullOfAFileThatReturned(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	w.commit("file0.txt", "changed\n")
	w.mustOut("sketch/fix")
	w.pull.Base = w.tip()
	w.git(w.workspace, "repack", "-q", "-a", "-d", "-b")
	w.commit("file0.txt", "content 0\n")
	w.mustOut("sketch/fix")
}

func TestPullWhenABranchIsInTheWay(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	hostGit(t, w.dir, "branch", "sketch") // no branch can be below it
	w.commit("a.txt", "one\n")
	if _, err := w.out(); !said(err, "cannot lock ref", "exists; cannot create") {
		t.Errorf("pull: %v", err)
	}
	hostGit(t, w.dir, "branch", "-q", "-D", "sketch")
	w.mustOut("sketch/fix")
}

func unhex(t *testing.T, s string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(s); i += 2 {
		var c byte
		if _, err := fmt.Sscanf(s[i:i+2], "%02x", &c); err != nil {
			t.Fatal(err)
		}
		b.WriteByte(c)
	}
	return b.String()
}
