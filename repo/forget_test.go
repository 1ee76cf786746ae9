package repo

import (
	"slices"
	"strings"
	"testing"
)

func (w *work) forget() string {
	w.t.Helper()
	kept, err := w.host.Forget(w.t.Context(), w.pull.Session)
	if err != nil {
		w.t.Fatal(err)
	}
	return kept
}

func (w *work) drop(dry bool) bool {
	w.t.Helper()
	dropped, err := w.host.DropBranch(w.t.Context(), w.pull.Session, w.pull.Wish, dry)
	if err != nil {
		w.t.Fatal(err)
	}
	return dropped
}

// heads are the refs that tests of removal look at.
func (w *work) heads() []string {
	w.t.Helper()
	return strings.Fields(hostGit(w.t, w.dir, "for-each-ref", "--format=%(refname)", "refs/heads/main", "refs/heads/sketch/fix", "refs/sketch"))
}

func TestForgetKeepsTheWork(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	w.commit("a", "1")
	w.mustOut("sketch/fix")
	if kept := w.forget(); kept != "" {
		t.Errorf("kept %s", kept)
	}
	if got := w.heads(); !slices.Equal(got, []string{"refs/heads/main", "refs/heads/sketch/fix"}) {
		t.Errorf("refs are %v", got)
	}
	if kept := w.forget(); kept != "" {
		t.Errorf("the second time: kept %s", kept)
	}
}

// Commits that could not become a branch, because that is checked out, are nowhere else.
func TestForgetKeepsATipThatIsNowhereElse(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	w.commit("a", "1")
	w.mustOut("sketch/fix")
	hostGit(t, w.dir, "checkout", "-q", "sketch/fix")
	tip := w.commit("a", "2")
	if _, err := w.out(); err == nil {
		t.Fatal("a branch that is checked out was moved")
	}
	const ref = "refs/sketch/sketch-brave-otter/tip"
	if kept := w.forget(); kept != ref {
		t.Errorf("kept %q", kept)
	}
	if got := hostGit(t, w.dir, "rev-parse", ref); got != tip {
		t.Errorf("it is at %s, want %s", got, tip)
	}
	hostGit(t, w.dir, "merge", "-q", "--ff-only", tip)
	if kept := w.forget(); kept != "" {
		t.Errorf("kept %q although a branch has it now", kept)
	}
}

func TestDropBranch(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	tip := w.commit("a", "1")
	w.mustOut("sketch/fix")
	if w.drop(false) {
		t.Error("a branch was dropped that nobody has merged")
	}
	hostGit(t, w.dir, "branch", "sketch/other", tip)
	if w.drop(false) {
		t.Error("a branch was dropped because another of ours has it")
	}
	hostGit(t, w.dir, "merge", "-q", "--ff-only", tip)
	hostGit(t, w.dir, "checkout", "-q", "sketch/fix")
	if w.drop(false) {
		t.Error("a branch was dropped that is checked out")
	}
	hostGit(t, w.dir, "checkout", "-q", "main")
	if !w.drop(true) || !slices.Contains(w.heads(), "refs/heads/sketch/fix") {
		t.Error("a dry run")
	}
	if !w.drop(false) || slices.Contains(w.heads(), "refs/heads/sketch/fix") {
		t.Errorf("a merged branch is still there: %v", w.heads())
	}
	hostGit(t, w.dir, "branch", "sketch/fix", "main~1")
	if w.drop(false) {
		t.Error("a branch of the user's was dropped")
	}
}
