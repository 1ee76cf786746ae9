package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/session"
)

func TestOtherBranchesComeBackToo(t *testing.T) {
	t.Parallel()
	dir := newRepo(t)
	w := open(t, newStore(t))
	info := w.start(dir)
	tip := w.inside(info.Name, "git switch -qc try/two; date >b; git add b; git commit -qm aside; git rev-parse HEAD")
	name := info.Branch + "--try-two"
	b := w.awaitBranch(info.Name, "the other branch", func(b session.Branch) bool { return len(b.Others) == 1 && b.Others[0].Commit == tip })
	if o := b.Others[0]; o.Inside != "try/two" || o.Name != name || o.Ahead != 1 || o.Err != nil || b.Exists || b.Err != nil {
		t.Errorf("one branch beside the work: %+v", b)
	}
	if got := runGit(t, "-C", dir, "rev-parse", "refs/heads/"+name); got != tip {
		t.Errorf("%s is at %s, inside is %s", name, got, tip)
	}

	// It is shown and taken over like the session's own, which is empty still.
	if _, err := w.Diff(t.Context(), info.Name, session.DiffOptions{}); !errors.Is(err, session.ErrNoBranch) || !strings.Contains(err.Error(), name) {
		t.Errorf("the session's own: %v", err)
	}
	if d, err := w.Diff(t.Context(), info.Name, session.DiffOptions{Branch: name}); err != nil || d.Branch != name || d.Head != tip || len(d.Files) != 1 || d.Files[0].Path != "b" {
		t.Errorf("the other branch's changes: %v, %+v", err, d)
	}
	if f, err := w.File(t.Context(), info.Name, name, "b", session.AtBranch); err != nil || !f.Exists {
		t.Errorf("its file: %v, %+v", err, f)
	}
	if m, err := w.Merge(t.Context(), info.Name, repo.Merge{Branch: name, DryRun: true}); err != nil || m.Branch != name || m.Commits != 1 {
		t.Errorf("its merge: %v, %+v", err, m)
	}
	unknown := &session.NoSuchBranchError{}
	if _, err := w.Diff(t.Context(), info.Name, session.DiffOptions{Branch: "main"}); !errors.As(err, &unknown) || fmt.Sprint(unknown.Others) != "["+name+"]" {
		t.Errorf("a branch that is none of the session's: %v", err)
	}

	// Somebody else's work there is not moved, and the session's own goes on.
	runGit(t, "-C", dir, "checkout", "-q", name)
	tip = w.inside(info.Name, "date >>b; git commit -qam more; git rev-parse HEAD")
	b = w.awaitBranch(info.Name, "the branch that is checked out", func(b session.Branch) bool { return len(b.Others) == 1 && b.Others[0].Err != nil })
	if !strings.Contains(b.Others[0].Err.Error(), "checked out") || b.Err != nil {
		t.Errorf("checked out: %+v", b)
	}
	runGit(t, "-C", dir, "checkout", "-q", "main")
	w.awaitBranch(info.Name, "the branch that is free again", func(b session.Branch) bool { return b.Others[0].Err == nil && b.Others[0].Commit == tip })
	w.inside(info.Name, "git switch -q "+info.Branch)
	tip = w.commitInside(info.Name, "a.txt", "work")
	w.awaitBranch(info.Name, "the work", at(tip))

	// What cannot come out is told.
	tip = w.inside(info.Name, "git switch -q --detach; date >c; git add c; git commit -qm astray; git rev-parse HEAD")
	w.awaitBranch(info.Name, "the commit on no branch", func(b session.Branch) bool { return b.Detached == tip })
	w.awaitProblem("is on no branch")
	tip = w.inside(info.Name, `for i in $(seq 20); do git branch many$i; done; git switch -qc last; git commit -q --allow-empty -m last; git rev-parse HEAD`)
	b = w.awaitBranch(info.Name, "the limit", func(b session.Branch) bool { return b.OthersLeft && len(b.Others) == 16 && b.Detached == "" })
	w.awaitProblem("are not brought out")
	if got := runGit(t, "-C", dir, "for-each-ref", "--format=%(refname)", "refs/heads/sketch"); strings.Count(got, "--") != 16 {
		t.Errorf("branches here:\n%s", got)
	}
	if b.Err != nil {
		t.Errorf("in the end: %+v, %s", b, tip)
	}
}

// awaitProblem waits until people were told something, and sees to it that they are told once.
func (w *window) awaitProblem(text string) {
	w.t.Helper()
	awaitNews(w, text, func() string { return fmt.Sprint(w.wrong) }, func(told string) bool {
		n := strings.Count(told, text)
		if n > 1 {
			w.t.Fatalf("told %d times: %s", n, told)
		}
		return n == 1
	})
}
