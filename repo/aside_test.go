package repo

import (
	"errors"
	"strings"
	"testing"
)

// Whatever branches are called inside, what they are called here is harmless, and each is one of ours.
func TestSecurityAsideNames(t *testing.T) {
	t.Parallel()
	for inside, want := range map[string]string{
		"try":                       "sketch/fix--try",
		"try/two":                   "sketch/fix--try-two",
		"sketch/fix-2":              "sketch/fix--fix-2",
		"../../heads/main":          "sketch/fix--heads-main",
		"-x":                        "sketch/fix--x",
		"a.lock":                    "sketch/fix--a-lock",
		"$(touch pwned)":            "sketch/fix--touch-pwned",
		"ärger":                     "sketch/fix--rger",
		"разное":                    "sketch/fix--branch",
		strings.Repeat("long/", 40): "sketch/fix--long-long-long-long-long-long-lo",
	} {
		got := AsideName("sketch/fix", inside)
		if got != want {
			t.Errorf("%q is called %s, want %s", inside, got, want)
		}
		if err := ValidSlug(strings.TrimPrefix(got, BranchPrefix)); err != nil {
			t.Errorf("%q: %v", inside, err)
		}
	}
	if err := ValidSlug(strings.TrimPrefix(AsideName(BranchPrefix+strings.Repeat("w", maxSlug), strings.Repeat("n", 100)), BranchPrefix)); err != nil {
		t.Error(err)
	}
}

func TestPullOfOtherBranches(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	w.commit("a.txt", "one\n")
	w.mustOut("sketch/fix")
	work := w.pull
	aside := func(inside, now string) {
		w.pull = work
		w.pull.Session, w.pull.Wish, w.pull.Now = Aside(work.Session, inside), AsideName(work.Wish, inside), now
	}
	for _, inside := range []string{"try/two", "try-two"} { // of one name here
		w.git(w.workspace, "checkout", "-q", "-b", inside)
		w.commit("b.txt", inside)
	}
	tips := map[string]string{"sketch/fix--try-two": "try-two", "sketch/fix--try-two-2": "try/two"}
	aside("try-two", "")
	w.mustOut("sketch/fix--try-two")
	w.git(w.workspace, "checkout", "-q", "try/two")
	aside("try/two", "")
	w.mustOut("sketch/fix--try-two-2")
	w.git(w.workspace, "commit", "-q", "--amend", "-m", "rewritten")
	aside("try/two", "sketch/fix--try-two-2")
	w.mustOut("sketch/fix--try-two-2") // ours to move
	for here, inside := range tips {
		if got, want := hostGit(t, w.dir, "rev-parse", here), w.git(w.workspace, "rev-parse", inside); got != want {
			t.Errorf("%s is at %s, want %s", here, got, want)
		}
	}
	hostGit(t, w.dir, "checkout", "-q", "sketch/fix--try-two-2")
	tip := w.commit("c.txt", "more\n")
	if _, err := w.out(); err == nil {
		t.Error("a branch that is checked out was moved")
	} else if _, out := errors.AsType[*CheckedOutError](err); !out {
		t.Error(err)
	}
	w.pull = work
	if kept := w.forget(); !strings.HasSuffix(kept, "/tip") || hostGit(t, w.dir, "rev-parse", kept) != tip {
		t.Errorf("kept %q", kept)
	}
	if refs := hostGit(t, w.dir, "for-each-ref", "--format=%(refname)", "refs/sketch"); strings.Contains(refs, "\n") {
		t.Errorf("left behind:\n%s", refs)
	}
}
