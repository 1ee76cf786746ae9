package repo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newMerge is a session with two commits on its branch: it changes file0.txt and adds new.txt.
func newMerge(t *testing.T) *work {
	t.Helper()
	w := newWork(t)
	hostGit(t, w.dir, "config", "user.name", "Ada")
	hostGit(t, w.dir, "config", "user.email", "ada@example.com")
	w.commit("file0.txt", "changed inside\n")
	w.git(w.workspace, "-c", "user.name=Bob", "-c", "user.email=bob@example.com", "commit", "-q", "--amend", "--no-edit", "--reset-author", "--date=2001-02-03T04:05:06Z")
	w.commit("new.txt", "new\n")
	w.mustOut("sketch/fix")
	return w
}

func (w *work) merge(how MergeHow, change ...func(*Merge)) (Merged, error) {
	m := Merge{How: how, Branch: "sketch/fix", Tip: hostGit(w.t, w.dir, "rev-parse", "refs/heads/sketch/fix")}
	for _, c := range change {
		c(&m)
	}
	return w.host.Merge(w.t.Context(), m)
}

func dry(m *Merge) { m.DryRun = true }

func (w *work) hostFile(name string) string {
	content, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		return err.Error()
	}
	return string(content)
}

func (w *work) log(format string) string {
	return hostGit(w.t, w.dir, "log", "--first-parent", "--format="+format)
}

// older forgets that git can foresee conflicts.
func older(w *work) { w.host.foresees = false }

func TestMergeEachWay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		how    MergeHow
		before func(w *work)
		want   Merged
		log    string
	}{
		"fast-forward": {MergeCommits, nil, Merged{Into: "main", Commits: 2, Done: true}, "inside: new.txt|inside: file0.txt|change file2.txt|change file1.txt|change file0.txt"},
		"merge": {
			MergeCommits, func(w *work) { commit(w.t, w.dir, "other.txt", "other\n") },
			Merged{Into: "main", Commits: 2, Done: true},
			"Merge branch 'sketch/fix'|change other.txt|change file2.txt|change file1.txt|change file0.txt",
		},
		"squash": {Squash, nil, Merged{Into: "main", Commits: 2, Done: true}, "Squash branch 'sketch/fix'|change file2.txt|change file1.txt|change file0.txt"},
		"cherry-pick": {
			CherryPick, func(w *work) { commit(w.t, w.dir, "other.txt", "other\n") },
			Merged{Into: "main", Commits: 2, Done: true},
			"inside: new.txt|inside: file0.txt|change other.txt|change file2.txt|change file1.txt|change file0.txt",
		},
		"reset": {
			ResetTo, func(w *work) { commit(w.t, w.dir, "other.txt", "other\n") },
			Merged{Into: "main", Commits: 2, Lost: 1, Done: true},
			"inside: new.txt|inside: file0.txt|change file2.txt|change file1.txt|change file0.txt",
		},
		"nothing new": {
			MergeCommits, func(w *work) { hostGit(w.t, w.dir, "merge", "-q", "sketch/fix") },
			Merged{Into: "main", Done: true},
			"inside: new.txt|inside: file0.txt|change file2.txt|change file1.txt|change file0.txt",
		},
		"detached": {
			MergeCommits, func(w *work) { hostGit(w.t, w.dir, "switch", "-q", "--detach") },
			Merged{Into: "HEAD", Commits: 2, Done: true},
			"inside: new.txt|inside: file0.txt|change file2.txt|change file1.txt|change file0.txt",
		},
		"merge by an older git": {
			MergeCommits, func(w *work) { commit(w.t, w.dir, "other.txt", "other\n"); older(w) },
			Merged{Into: "main", Commits: 2, Done: true},
			"Merge branch 'sketch/fix'|change other.txt|change file2.txt|change file1.txt|change file0.txt",
		},
		"cherry-pick by an older git": {
			CherryPick, func(w *work) { commit(w.t, w.dir, "other.txt", "other\n"); older(w) },
			Merged{Into: "main", Commits: 2, Done: true},
			"inside: new.txt|inside: file0.txt|change other.txt|change file2.txt|change file1.txt|change file0.txt",
		},
		"a pick that is there already": {
			CherryPick, func(w *work) { hostGit(w.t, w.dir, "cherry-pick", "sketch/fix~1") },
			Merged{Into: "main", Commits: 1, Done: true},
			"inside: new.txt|inside: file0.txt|change file2.txt|change file1.txt|change file0.txt",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMerge(t)
			if tt.before != nil {
				tt.before(w)
			}
			before := contents(t, w.dir)
			predicted, err := w.merge(tt.how, dry)
			if err != nil || predicted.Done || predicted.Commits != tt.want.Commits || predicted.Lost != tt.want.Lost {
				t.Errorf("predicted %+v, %v", predicted, err)
			}
			if diff := cmp.Diff(before, contents(t, w.dir)); diff != "" {
				t.Error("a dry run wrote:\n", diff)
			}
			// A hook that is in the working tree is the container's to write.
			writeFile(t, filepath.Join(w.dir, ".git", "hooks", "post-merge"), "#!/bin/sh\ntouch hooked\n", 0o755)
			writeFile(t, filepath.Join(w.dir, ".git", "hooks", "post-checkout"), "#!/bin/sh\ntouch hooked\n", 0o755)
			got, err := w.merge(tt.how)
			tt.want.Commit = hostGit(t, w.dir, "rev-parse", "HEAD")
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
			if log := strings.ReplaceAll(w.log("%s"), "\n", "|"); log != tt.log {
				t.Errorf("log: %s\nwant %s", log, tt.log)
			}
			if w.hostFile("file0.txt") != "changed inside\n" || w.hostFile("new.txt") != "new\n" {
				t.Errorf("files: %q, %q", w.hostFile("file0.txt"), w.hostFile("new.txt"))
			}
			if status := hostGit(t, w.dir, "status", "--porcelain"); status != "" {
				t.Errorf("status:\n%s", status)
			}
			if tt.how == CherryPick && !strings.Contains(w.log("%an %aI %cn"), "Bob 2001-02-03T04:05:06+00:00 Ada") {
				t.Errorf("authors:\n%s", w.log("%an %aI %cn"))
			}
			hostGit(t, w.dir, "fsck", "--strict")
		})
	}
}

func TestMergePredictsConflictsAndDoesNothing(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]MergeHow{"merge": MergeCommits, "squash": Squash, "cherry-pick": CherryPick} {
		for _, old := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newMerge(t)
				commit(t, w.dir, "file0.txt", "changed here\n")
				if old {
					older(w)
				}
				before := contents(t, w.dir)
				for _, change := range []func(*Merge){dry, func(*Merge) {}} {
					got, err := w.merge(how, change)
					if err != nil || got.Done || !cmp.Equal(got.Conflicts, []string{"file0.txt"}) {
						t.Errorf("%+v, %v", got, err)
					}
				}
				if diff := cmp.Diff(before, withoutIndex(before, contents(t, w.dir))); diff != "" {
					t.Error("something was written:\n", diff)
				}
			})
		}
	}
}

// contents is fingerprint without times: git renews those of objects that are there when it would write them.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	prints := fingerprint(t, dir)
	for path, print := range prints {
		prints[path] = print[:strings.Index(print, " ")] + print[strings.LastIndex(print, " "):]
	}
	return prints
}

// withoutIndex takes the index as it was: git status may refresh what it remembers of files' times.
func withoutIndex(before, after map[string]string) map[string]string {
	for path := range after {
		if filepath.Base(path) == "index" {
			after[path] = before[path]
		}
	}
	return after
}

func TestMergeRefusesWhatCouldLoseWork(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(w *work)
		dirty  string // what the error says the tree is in the middle of; "-": another error
	}{
		"a changed file": {func(w *work) { writeFile(w.t, filepath.Join(w.dir, "file1.txt"), "mine\n", 0o644) }, ""},
		"a staged file": {func(w *work) {
			writeFile(w.t, filepath.Join(w.dir, "x"), "mine\n", 0o644)
			hostGit(w.t, w.dir, "add", "x")
		}, ""},
		"a merge": {func(w *work) { hostGit(w.t, w.dir, "merge", "-q", "--no-commit", "--no-ff", "other~0", "sketch/fix") }, "merge"},
		"a rebase": {func(w *work) {
			hostGit(w.t, w.dir, "-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-q", "-i", "HEAD~1")
		}, "rebase"},
		"a file in the way": {func(w *work) { writeFile(w.t, filepath.Join(w.dir, "new.txt"), "mine\n", 0o644) }, "-"},
	} {
		for how := MergeCommits; how <= ResetTo; how++ {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newMerge(t)
				tt.before(w)
				before, head := w.hostFile("new.txt"), hostGit(t, w.dir, "rev-parse", "HEAD", "main")
				status := hostGit(t, w.dir, "status", "--porcelain")
				got, err := w.merge(how)
				dirty, ok := errors.AsType[*DirtyError](err)
				if err == nil || got.Done || ok != (tt.dirty != "-") || ok && dirty.What != tt.dirty {
					t.Errorf("%+v, %v", got, err)
				}
				if w.hostFile("new.txt") != before || hostGit(t, w.dir, "rev-parse", "HEAD", "main") != head || hostGit(t, w.dir, "status", "--porcelain") != status {
					t.Errorf("%v: something has changed: %s", err, hostGit(t, w.dir, "status"))
				}
			})
		}
	}
}

func TestMergeIntoTheSessionsOwnBranch(t *testing.T) {
	t.Parallel()
	w := newMerge(t)
	hostGit(t, w.dir, "switch", "-q", "sketch/fix")
	tip := w.commit("later.txt", "later\n")
	out, ok := errors.AsType[*CheckedOutError](func() error { _, err := w.out(); return err }())
	if !ok {
		t.Fatal("pulled into a checked-out branch")
	}
	got, err := w.merge(MergeCommits, func(m *Merge) { m.Tip = hostGit(t, w.dir, "rev-parse", out.Ref) })
	if err != nil || got.Into != "sketch/fix" || got.Commit != tip || got.Commits != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	w.mustOut("sketch/fix")
}

func TestMergeNeedsAnIdentity(t *testing.T) {
	t.Parallel()
	w := newMerge(t)
	hostGit(t, w.dir, "config", "--unset", "user.name")
	hostGit(t, w.dir, "config", "--unset", "user.email")
	hostGit(t, w.dir, "config", "user.useConfigOnly", "true")
	commit(t, w.dir, "other.txt", "other\n")
	if _, err := w.merge(MergeCommits); !errors.Is(err, ErrNoIdentity) {
		t.Errorf("%v", err)
	}
}

// A session's commits may say which of the user's commands their files go through, as they may with git merge; never how a conflict is merged, and nothing is fetched for Git LFS.
func TestSecurityMergeAndAttributes(t *testing.T) {
	t.Parallel()
	w := newMerge(t)
	ran := filepath.Join(t.TempDir(), "ran")
	for key, value := range map[string]string{
		"merge.mine.driver": "touch '" + ran + "'; true", "filter.lfs.required": "true", "filter.lfs.clean": "cat",
		"filter.lfs.smudge": `test "$GIT_LFS_SKIP_SMUDGE" = 1 && cat`,
	} {
		hostGit(t, w.dir, "config", key, value)
	}
	w.commit(".gitattributes", "*.txt merge=mine\nnew.txt filter=lfs\n")
	w.mustOut("sketch/fix")
	commit(t, w.dir, "file0.txt", "changed outside\n")
	for _, how := range []MergeHow{MergeCommits, CherryPick, Squash} {
		if m, err := w.merge(how); err != nil || len(m.Conflicts) != 1 {
			t.Errorf("way %d: %+v, %v; want one conflict", how, m, err)
		}
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("the container had a merge driver run")
	}
	hostGit(t, w.dir, "reset", "-q", "--hard", "HEAD~1")
	if m, err := w.merge(MergeCommits); err != nil || !m.Done {
		t.Fatalf("%+v, %v", m, err)
	}
	if got := w.hostFile("new.txt"); got != "new\n" {
		t.Errorf("new.txt has %q", got)
	}
}
