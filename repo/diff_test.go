package repo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// changes makes one of each kind of change in the repository at dir.
func changes(t *testing.T, dir string, git func(args ...string)) {
	t.Helper()
	write := func(name, content string) { writeFile(t, filepath.Join(dir, name), content, 0o644) }
	write("file0.txt", "content 0\nand more\n")
	write("new\nline \"quoted\" ünï.txt", "odd name\nno newline at the end")
	write("diff --git a/x b/x", "diff --git a/y b/y\n@@ -1 +1 @@\n")
	write("picture", "\x00\x01\x02")
	write("dir/deep/x", "x\n")
	write("empty", "")
	write("latin1", "caf\xe9\n")
	git("mv", "long.txt", "renamed.txt")
	if err := errors.Join(os.Remove(filepath.Join(dir, "file1.txt")), os.Remove(filepath.Join(dir, "file2.txt")), os.Symlink("elsewhere", filepath.Join(dir, "file2.txt")), os.Chmod(filepath.Join(dir, "script"), 0o755)); err != nil {
		t.Fatal(err)
	}
}

var wantChanges = []FileDiff{
	{Path: "diff --git a/x b/x", Status: Added, Added: 2, Hunks: []Hunk{{NewStart: 1, NewLines: 2, Lines: []string{"+diff --git a/y b/y", "+@@ -1 +1 @@"}}}},
	{Path: "dir/deep/x", Status: Added, Added: 1, Hunks: []Hunk{{NewStart: 1, NewLines: 1, Lines: []string{"+x"}}}},
	{Path: "empty", Status: Added},
	{Path: "file0.txt", Status: Modified, Added: 1, Hunks: []Hunk{{OldStart: 1, OldLines: 1, NewStart: 1, NewLines: 2, Lines: []string{" content 0", "+and more"}}}},
	{Path: "file1.txt", Status: Deleted, Deleted: 1, Hunks: []Hunk{{OldStart: 1, OldLines: 1, Lines: []string{"-content 1"}}}},
	{Path: "file2.txt", Status: TypeChanged, Added: 1, Deleted: 1, Hunks: []Hunk{
		{OldStart: 1, OldLines: 1, Lines: []string{"-content 2"}},
		{NewStart: 1, NewLines: 1, Lines: []string{"+elsewhere", `\ No newline at end of file`}},
	}},
	{Path: "latin1", Status: Added, Added: 1, Hunks: []Hunk{{NewStart: 1, NewLines: 1, Lines: []string{"+caf\uFFFD"}}}},
	{Path: "new\nline \"quoted\" ünï.txt", Status: Added, Added: 2, Hunks: []Hunk{
		{NewStart: 1, NewLines: 2, Lines: []string{"+odd name", "+no newline at the end", `\ No newline at end of file`}},
	}},
	{Path: "picture", Status: Added, Binary: true},
	{Path: "renamed.txt", OldPath: "long.txt", Status: Renamed},
	{Path: "script", Status: Modified},
}

func newChanged(t *testing.T) *work {
	t.Helper()
	dir := newHost(t, "project")
	writeFile(t, filepath.Join(dir, "long.txt"), strings.Repeat("a long file that is renamed\n", 50), 0o644)
	writeFile(t, filepath.Join(dir, "script"), "#!/bin/sh\n", 0o644)
	hostGit(t, dir, "add", ".")
	hostGit(t, dir, "commit", "-q", "-m", "more")
	host := mustOpen(t, dir)
	w := &work{inside: newInside(t, host), host: host, dir: dir}
	w.workspace = filepath.Join(w.inside.dir, "w")
	w.checkout(host, w.workspace, "fix")
	w.pull = Pull{Session: "sketch-brave-otter", Workspace: w.workspace, Base: host.Head, Wish: "sketch/fix"}
	changes(t, w.workspace, func(args ...string) { w.git(w.workspace, args...) })
	return w
}

func TestDiffTellsEveryKindOfChange(t *testing.T) {
	t.Parallel()
	w := newChanged(t)
	// What its user configures for their eyes, or runs, has no say.
	for key, value := range map[string]string{
		"diff.noprefix": "true", "diff.external": "touch /tmp/pwned", "color.ui": "always", "diff.renames": "false", "core.quotePath": "false",
		"diff.suppressBlankEmpty": "true", "diff.context": "0", "diff.txt.textconv": "touch /tmp/pwned", "diff.orderFile": "/dev/null",
	} {
		hostGit(t, w.dir, "config", key, value)
	}
	staged := w.git(w.workspace, "status", "--porcelain")
	d, err := w.host.DiffInside(t.Context(), w, w.workspace, w.pull.Base, DiffOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Diff{Files: wantChanges}, d); diff != "" {
		t.Error("inside:\n", diff)
	}
	if now := w.git(w.workspace, "status", "--porcelain"); now != staged {
		t.Errorf("what is staged inside has changed:\n%s\nwas:\n%s", now, staged)
	}
	w.git(w.workspace, "add", "-A")
	w.git(w.workspace, "commit", "-q", "-m", "all")
	w.mustOut("sketch/fix")
	if d, err = w.host.Diff(t.Context(), w.pull.Base, w.tip(), DiffOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Diff{Files: wantChanges}, d); diff != "" {
		t.Error("on the host:\n", diff)
	}
	for _, want := range wantChanges {
		one, err := w.host.Diff(t.Context(), w.pull.Base, w.tip(), DiffOptions{Path: want.Path})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]FileDiff{want}, one.Files); diff != "" {
			t.Errorf("%s alone:\n%s", want.Path, diff)
		}
	}
	none, err := w.host.Diff(t.Context(), w.pull.Base, w.tip(), DiffOptions{Context: -1})
	if err != nil || len(none.Files) != len(wantChanges) || none.Files[0].Hunks != nil {
		t.Errorf("without hunks: %+v, %v", none, err)
	}
	if d, err := w.host.Diff(t.Context(), w.tip(), w.tip(), DiffOptions{}); err != nil || len(d.Files) > 0 {
		t.Errorf("nothing: %+v, %v", d, err)
	}
}

func TestDiffOfMuchIsCut(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	w.commit("a-small", "x\n")
	w.commit("big", strings.Repeat("a line of a big file\n", maxDiffBytes/10))
	w.commit("c-later", "x\n")
	w.mustOut("sketch/fix")
	d, err := w.host.Diff(t.Context(), w.pull.Base, w.tip(), DiffOptions{})
	if err != nil || !d.Truncated || len(d.Files) != 3 || len(d.Files[0].Hunks) != 1 || d.Files[1].Hunks != nil || d.Files[1].Added != maxDiffBytes/10 {
		t.Errorf("%v, truncated %v, %d files", err, d.Truncated, len(d.Files))
	}
}

func TestFileVersions(t *testing.T) {
	t.Parallel()
	w := newChanged(t)
	inside := func(path string) File {
		t.Helper()
		f, err := FileInside(t.Context(), w, w.workspace, path)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	host := func(path string) File {
		t.Helper()
		f, err := w.host.File(t.Context(), w.pull.Base, path)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, tt := range []struct {
		path         string
		host, inside File
	}{
		{"file0.txt", File{Exists: true, Content: "content 0\n"}, File{Exists: true, Content: "content 0\nand more\n"}},
		{"file1.txt", File{Exists: true, Content: "content 1\n"}, File{}},
		{"file2.txt", File{Exists: true, Content: "content 2\n"}, File{Exists: true, Content: "elsewhere"}},
		{"picture", File{}, File{Exists: true, Binary: true}},
		{"latin1", File{}, File{Exists: true, Binary: true}},
		{"empty", File{}, File{Exists: true}},
		{"dir", File{}, File{}},
		{"new\nline \"quoted\" ünï.txt", File{}, File{Exists: true, Content: "odd name\nno newline at the end"}},
	} {
		if diff := cmp.Diff([]File{tt.host, tt.inside}, []File{host(tt.path), inside(tt.path)}); diff != "" {
			t.Errorf("%s:\n%s", tt.path, diff)
		}
	}
	for _, path := range []string{"", "/etc/passwd", "../x", "a/../../x", "./x", "a//b", "..", "x\x00"} {
		_, err1 := w.host.File(t.Context(), w.pull.Base, path)
		_, err2 := FileInside(t.Context(), w, w.workspace, path)
		if !errors.Is(err1, ErrPath) || !errors.Is(err2, ErrPath) {
			t.Errorf("%q: %v, %v", path, err1, err2)
		}
	}
	if f, err := os.Create(filepath.Join(w.workspace, "huge")); err != nil || f.Truncate(maxFile+1) != nil || f.Close() != nil {
		t.Fatal(err)
	}
	if _, err := FileInside(t.Context(), w, w.workspace, "huge"); !errors.Is(err, ErrFileTooBig) {
		t.Errorf("huge: %v", err)
	}
}

// Whatever a container answers, the parsers end, and what they return fits together.
func FuzzParseDiff(f *testing.F) {
	f.Add(":100644 100644 "+strings.Repeat("a", 40)+" "+strings.Repeat("b", 40)+" M\x00f\x001\t2\tf\x00", "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1 @@ x\n-a\n-b\n+c\n")
	f.Add(":100644 120000 "+strings.Repeat("a", 40)+" "+strings.Repeat("b", 40)+" T\x00f\x001\t1\tf\x00", "diff --git a/f b/f\n@@ -1 +0,0 @@\n-a\ndiff --git a/f b/f\n@@ -0,0 +1 @@\n+b\n\\ No newline at end of file\n")
	f.Add(":100644 100644 "+strings.Repeat("a", 64)+" "+strings.Repeat("b", 64)+" R100\x00f\x00g\x000\t0\t\x00f\x00g\x00", "")
	f.Add("-\t-\tx\x00", "@@ -1 +1 @@\n")
	f.Add(":", "\\\n")
	f.Fuzz(func(t *testing.T, list, patch string) {
		d, err := parseDiffList([]byte(list))
		if err != nil {
			return
		}
		if parsePatch(strings.NewReader(patch), d.Files) != nil {
			return
		}
		for _, file := range d.Files {
			for _, h := range file.Hunks {
				old, now := 0, 0
				for _, line := range h.Lines {
					switch line[0] {
					case ' ':
						old, now = old+1, now+1
					case '-':
						old++
					case '+':
						now++
					}
				}
				if old != h.OldLines || now != h.NewLines {
					t.Errorf("hunk has %d and %d lines, says %d and %d", old, now, h.OldLines, h.NewLines)
				}
			}
		}
	})
}

func FuzzParsePackIndex(f *testing.F) {
	f.Add([]byte("\xfftOc\x00\x00\x00\x02"), "00")
	f.Add(append([]byte("\xfftOc\x00\x00\x00\x02"), make([]byte, 2000)...), strings.Repeat("0", 40))
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		x, err := parsePackIndex(data, 20)
		if err == nil && x.has(name) && len(name) != 40 {
			t.Error("has what is no name")
		}
	})
}
