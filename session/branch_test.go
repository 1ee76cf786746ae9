package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/session"
)

// awaitBranch waits until the session's told branch satisfies ok.
func (w *window) awaitBranch(name, what string, ok func(session.Branch) bool) session.Branch {
	w.t.Helper()
	deadline := time.After(time.Minute)
	for {
		w.mu.Lock()
		b, news := w.branches[name], w.news
		w.mu.Unlock()
		if ok(b) {
			return b
		}
		select {
		case <-news:
		case <-deadline:
			w.t.Fatalf("%s: %s: not seen within a minute; last: %+v", name, what, b)
		}
	}
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
	w.Configure(session.Settings{BaseImage: baseImage(), MaxPack: 1 << 20})
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
