package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/session"
)

// awaitBranch waits until the session's told branch satisfies ok.
func (w *window) awaitBranch(name, what string, ok func(session.Branch) bool) session.Branch {
	w.t.Helper()
	return awaitNews(w, name+": "+what, func() session.Branch { return w.branches[name] }, ok)
}

// inside runs a shell script in the session's repository and returns what it writes.
func (w *window) inside(name, script string) string {
	w.t.Helper()
	var out, errs strings.Builder
	if err := w.Exec(w.t.Context(), name, []string{"sh", "-ec", script}, session.Streams{Out: &out, Err: &errs}); err != nil {
		w.t.Fatalf("inside: %v\n%s", err, errs.String())
	}
	return strings.TrimSpace(out.String())
}

// commitInside commits a file and returns the commit's name.
func (w *window) commitInside(name, file, content string) string {
	w.t.Helper()
	return w.inside(name, "printf %s '"+content+"' >"+file+"; git add "+file+"; git commit -qm 'work on "+file+"'; git rev-parse HEAD")
}

func at(commit string) func(session.Branch) bool {
	return func(b session.Branch) bool { return b.Commit == commit && b.Err == nil }
}

func TestCommitsComeBackAsABranch(t *testing.T) {
	t.Parallel()
	store, dir := newStore(t), newRepo(t)
	first, second := open(t, store), open(t, store)
	info := first.start(dir)
	base := runGit(t, "-C", dir, "rev-parse", "HEAD")
	b := first.awaitBranch(info.Name, "begin", func(b session.Branch) bool { return b.Base == base })
	if b.Exists || b.BaseBranch != "main" || b.Name != info.Branch {
		t.Errorf("before any commit: %+v", b)
	}
	second.start(dir) // a follower

	// The first prompt gives it a name.
	name, err := second.NameBranch(t.Context(), info.Name, "fix-login")
	if err != nil || name != "sketch/fix-login" {
		t.Fatalf("named %q, %v", name, err)
	}
	if head := first.inside(info.Name, "git symbolic-ref --short HEAD"); head != name {
		t.Errorf("the branch inside is %s", head)
	}
	tip := first.commitInside(info.Name, "a.txt", "one")
	for _, w := range []*window{first, second} {
		b := w.awaitBranch(info.Name, "the commit", at(tip))
		if b.Name != name || !b.Exists || b.Ahead != 1 || b.Behind != 0 || b.Subject != "work on a.txt" || b.Updated.IsZero() {
			t.Errorf("after one commit: %+v", b)
		}
	}
	if got := runGit(t, "-C", dir, "rev-parse", "refs/heads/"+name); got != tip {
		t.Errorf("the branch on the host is at %s, inside is %s", got, tip)
	}
	if again, err := first.NameBranch(t.Context(), info.Name, "other"); err != nil || again != name {
		t.Errorf("named again: %q, %v", again, err)
	}

	// The host's branch moves on, and both sides hear of it.
	runGit(t, "-C", dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "--allow-empty", "-m", "meanwhile")
	first.awaitBranch(info.Name, "the moved base", func(b session.Branch) bool { return b.Behind == 1 })
	fetched := first.inside(info.Name, "git fetch -q sketch-host; git rev-parse sketch-host/main")
	if want := runGit(t, "-C", dir, "rev-parse", "main"); fetched != want {
		t.Errorf("fetched %s inside, want %s", fetched, want)
	}

	// A new owner and a new window know it at once, and go on.
	first.close()
	second.await(info.Name, "hand-over", func(i session.Info) bool { return i.Owner })
	tip = second.commitInside(info.Name, "b.txt", "two")
	second.awaitBranch(info.Name, "a commit to the new owner", at(tip))
	third := open(t, store)
	third.start(dir)
	if b := third.awaitBranch(info.Name, "reattach", at(tip)); b.Ahead != 2 || b.Behind != 1 {
		t.Errorf("after reattaching: %+v", b)
	}
}

func TestCommitsMadeWhileNobodyWasAttached(t *testing.T) {
	t.Parallel()
	store, dir := newStore(t), newRepo(t)
	w := open(t, store)
	info := w.start(dir)
	w.inside(info.Name, "(sleep 0.3; date >x; git add x; git commit -qm later) >/dev/null 2>&1 </dev/null & disown 2>/dev/null || true")
	w.close()
	w = open(t, store)
	w.start(dir)
	w.awaitBranch(info.Name, "the commit", func(b session.Branch) bool { return b.Exists && b.Subject == "later" })
}

func TestCheckedOutBranchWaits(t *testing.T) {
	t.Parallel()
	store, dir := newStore(t), newRepo(t)
	w := open(t, store)
	info := w.start(dir)
	one := w.commitInside(info.Name, "a.txt", "one")
	name := w.awaitBranch(info.Name, "the commit", at(one)).Name
	runGit(t, "-C", dir, "switch", "-q", name)
	two := w.commitInside(info.Name, "a.txt", "two")
	b := w.awaitBranch(info.Name, "an error", func(b session.Branch) bool { return b.Err != nil })
	if _, ok := errors.AsType[*repo.CheckedOutError](b.Err); b.Commit != one || !ok && !strings.Contains(b.Err.Error(), "checked out") {
		t.Errorf("while it is checked out: %+v", b)
	}
	runGit(t, "-C", dir, "switch", "-q", "main")
	w.awaitBranch(info.Name, "the second commit", at(two))
}

// A container whose git is replaced by something hostile: the host reports it, and nothing of it arrives.
func TestSecurityHostileGitInsideIsReported(t *testing.T) {
	t.Parallel()
	store, dir := newStore(t), newRepo(t)
	w := open(t, store)
	w.Configure(session.Settings{BaseImage: baseImage(), Pull: session.PullLimits{MaxPack: 1 << 20}})
	info := w.start(dir)
	before := runGit(t, "-C", dir, "for-each-ref")
	w.inside(info.Name, `real=$(command -v git); mv "$real" /usr/bin/realgit
cat >/usr/bin/git <<'END'
#!/bin/sh
case "$*" in *pack-objects*) exec cat /dev/zero;; esac
exec realgit "$@"
END
chmod +x /usr/bin/git`)
	w.commitInside(info.Name, "a.txt", "one")
	b := w.awaitBranch(info.Name, "a report", func(b session.Branch) bool { return b.Err != nil })
	if b.Exists {
		t.Errorf("a branch came of it: %+v", b)
	}
	if now := runGit(t, "-C", dir, "for-each-ref"); !strings.HasPrefix(now, before) || strings.Contains(now, "refs/heads/sketch") {
		t.Errorf("refs on the host: %s", now)
	}
	// With its git back everything arrives.
	tip := w.inside(info.Name, "mv /usr/bin/realgit /usr/bin/git; echo two >b; git add b; git commit -qm two; git rev-parse HEAD")
	w.awaitBranch(info.Name, "the commits", at(tip))
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(info.SSHConfig), "sketch-ide-objects-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.txt")); err == nil {
		t.Error("the working tree was changed")
	}
}

func TestWorkIsShownAndTakenOver(t *testing.T) {
	t.Parallel()
	store, dir := newStore(t), newRepo(t)
	runGit(t, "-C", dir, "config", "user.name", "Ann")
	runGit(t, "-C", dir, "config", "user.email", "ann@example.com")
	w := open(t, store)
	info := w.start(dir)
	if _, err := w.Diff(t.Context(), info.Name, session.DiffOptions{}); !errors.Is(err, session.ErrNoBranch) {
		t.Errorf("diff of nothing: %v", err)
	}
	tip := w.commitInside(info.Name, "index.html", "changed")
	w.awaitBranch(info.Name, "the commit", at(tip))
	w.inside(info.Name, "echo draft >draft")

	stranger := open(t, store) // a window that is not attached asks too
	for _, window := range []*window{w, stranger} {
		d, err := window.Diff(t.Context(), info.Name, session.DiffOptions{})
		if err != nil || d.Head != tip || len(d.Files) != 1 || d.Files[0].Path != "index.html" {
			t.Errorf("diff: %+v, %v", d, err)
		}
		d, err = window.Diff(t.Context(), info.Name, session.DiffOptions{Uncommitted: true})
		if err != nil || d.Head != "" || len(d.Files) != 2 || d.Files[0].Path != "draft" {
			t.Errorf("diff of what is inside: %+v, %v", d, err)
		}
		for version, want := range map[session.FileVersion]repo.File{
			session.AtBase: {Exists: true, Content: "hello from inside\n"}, session.AtBranch: {Exists: true, Content: "changed"}, session.Inside: {Exists: true, Content: "changed"},
		} {
			if f, err := window.File(t.Context(), info.Name, "", "index.html", version); err != nil || f != want {
				t.Errorf("version %v: %+v, %v", version, f, err)
			}
		}
	}
	m, err := w.Merge(t.Context(), info.Name, repo.Merge{})
	if err != nil || !m.Done || m.Commit != tip || m.Into != "main" || m.Branch != info.Branch {
		t.Errorf("merge: %+v, %v", m, err)
	}
	if err := w.Remove(t.Context(), info.Name); err != nil {
		t.Fatal(err)
	}
	if refs := runGit(t, "-C", dir, "for-each-ref", "--format=%(refname)"); refs != "refs/heads/main\nrefs/heads/"+info.Branch {
		t.Errorf("refs after the session's end: %s", refs)
	}
}

func TestCommentsAreCollected(t *testing.T) {
	t.Parallel()
	store, dir := newStore(t), newRepo(t)
	w := open(t, store)
	info := w.start(dir)
	change := func(c session.CommentChange) []session.Comment {
		t.Helper()
		_, waiting, _, err := w.Comments(t.Context(), info.Name, c)
		if err != nil {
			t.Fatal(err)
		}
		return waiting
	}
	change(session.CommentChange{Comment: session.Comment{Path: "index.html", Line: 1, Text: "too terse"}})
	change(session.CommentChange{Comment: session.Comment{Path: "index.html", Line: 2, Old: true, Text: "gone?"}})
	change(session.CommentChange{Comment: session.Comment{ID: "1", Text: "still too terse"}})
	list := change(session.CommentChange{})
	if len(list) != 2 || list[0].Text != "still too terse" || list[1].ID != "2" || !list[1].Old {
		t.Errorf("waiting: %+v", list)
	}
	if list = change(session.CommentChange{Comment: session.Comment{ID: "1"}}); len(list) != 1 {
		t.Errorf("after removing one: %+v", list)
	}
	for _, bad := range []session.Comment{
		{Path: "../x", Line: 1, Text: "x"}, {Path: "x", Text: "x"}, {Path: "x", Line: 1, Text: " "}, {ID: "7", Text: "x"}, {Path: "x", Line: 1, Text: strings.Repeat("x", 20_000)},
	} {
		_, waiting, _, err := w.Comments(t.Context(), info.Name, session.CommentChange{Comment: bad})
		if _, ok := errors.AsType[*session.CommentError](err); !ok || len(waiting) != 1 {
			t.Errorf("%+v: %v, %+v", bad, err, waiting)
		}
	}
	// Without a model they go on waiting.
	if _, waiting, sent, err := w.Comments(t.Context(), info.Name, session.CommentChange{Send: true}); err == nil || sent != 0 || len(waiting) != 1 {
		t.Errorf("sent %d, %+v, %v", sent, waiting, err)
	}
}
