package gitwatch

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// newClone is a repository inside, on branch sketch/fix, of one that has main and other.
func newClone(t *testing.T) (dir string, w *Watcher) {
	t.Helper()
	host := t.TempDir()
	git(t, host, "init", "-q", "-b", "main")
	git(t, host, "commit", "-q", "--allow-empty", "-m", "first")
	git(t, host, "branch", "other")
	git(t, host, "commit", "-q", "--allow-empty", "-m", "second")
	dir = filepath.Join(t.TempDir(), "w")
	git(t, host, "clone", "-q", "-o", "sketch-host", host, dir)
	git(t, dir, "switch", "-q", "-c", "sketch/fix")
	return dir, New(Config{Dir: dir})
}

func TestOthersHaveCommitsOfTheirOwn(t *testing.T) {
	t.Parallel()
	dir, w := newClone(t)
	git(t, dir, "branch", "behind", "HEAD~1")
	git(t, dir, "branch", "other", "sketch-host/other")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "work")
	git(t, dir, "branch", "work-too")
	if s := w.State(t.Context(), "sketch/fix"); len(s.Others) > 0 || s.More || s.Detached != "" {
		t.Errorf("nothing of their own: %+v", s)
	}
	want := State{Branch: "sketch/fix", Commit: git(t, dir, "rev-parse", "HEAD"), Head: "try/two"}
	for _, name := range []string{"later", "try/two"} {
		git(t, dir, "switch", "-q", "-c", name, "main")
		git(t, dir, "commit", "-q", "--allow-empty", "-m", name)
		want.Others = append(want.Others, Other{Name: name, Commit: git(t, dir, "rev-parse", "HEAD")})
	}
	if s := w.State(t.Context(), "sketch/fix"); !s.same(want) || s.check("sketch/fix") != nil {
		t.Errorf("state %+v, want %+v", s, want)
	}
	for i := range MaxOthers {
		git(t, dir, "branch", fmt.Sprint("many", i), "later")
	}
	git(t, dir, "branch", strings.Repeat("x", maxOther+1), "later")
	if s := w.State(t.Context(), "sketch/fix"); len(s.Others) != MaxOthers || !s.More || s.check("sketch/fix") != nil {
		t.Errorf("many: %+v, %v", s, s.check("sketch/fix"))
	}
	git(t, dir, "switch", "-q", "sketch/fix")
	git(t, dir, "merge", "-q", "later", "try/two", "-m", "merged")
	if s := w.State(t.Context(), "sketch/fix"); len(s.Others) > 0 {
		t.Errorf("merged into the work: %+v", s)
	}
}

func TestDetachedCommits(t *testing.T) {
	t.Parallel()
	dir, w := newClone(t)
	git(t, dir, "switch", "-q", "--detach", "HEAD~1")
	if s := w.State(t.Context(), "sketch/fix"); s.Detached != "" || s.Head != "" {
		t.Errorf("looking at an old commit: %+v", s)
	}
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "astray")
	astray := git(t, dir, "rev-parse", "HEAD")
	if s := w.State(t.Context(), "sketch/fix"); s.Detached != astray {
		t.Errorf("a commit on no branch: %+v", s)
	}
	git(t, dir, "branch", "kept")
	if s := w.State(t.Context(), "sketch/fix"); s.Detached != "" || len(s.Others) != 1 || s.Others[0].Commit != astray {
		t.Errorf("given a branch: %+v", s)
	}
	// The steps of a rebase are on no branch either, and soon gone.
	git(t, dir, "-c", "sequence.editor=echo break >>", "rebase", "-q", "-i", "--keep-empty", "--onto", "main", "main", "kept")
	if s := w.State(t.Context(), "sketch/fix"); s.Head != "" || s.Detached != "" {
		t.Errorf("in a rebase: %+v", s)
	}
}

func TestSecurityStatesAreChecked(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("a", 40)
	for name, s := range map[string]State{
		"an escape sequence":   {Others: []Other{{"a\x1b[2J", commit}}},
		"a right-to-left mark": {Others: []Other{{"a\u202eb", commit}}},
		"not UTF-8":            {Others: []Other{{"a\xff", commit}}},
		"no name":              {Others: []Other{{"", commit}}},
		"a long name":          {Others: []Other{{strings.Repeat("a", maxOther+1), commit}}},
		"the work itself":      {Others: []Other{{"sketch/fix", commit}}},
		"an option":            {Others: []Other{{"a", "--all"}}},
		"too many":             {Others: make([]Other, MaxOthers+1)},
		"an option for HEAD":   {Detached: "--all"},
	} {
		s.Branch = "sketch/fix"
		if s.check("sketch/fix") == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
