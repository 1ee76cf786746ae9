package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestPatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, before, after string
		hunks               []Hunk
	}{
		{"replace", "a\nb\nc\n", "a\nB\nc\n", []Hunk{{Op: Replace, Old: "b", New: "B"}}},
		{"several, in order", "a b c\n", "x y c\n", []Hunk{{Op: Replace, Old: "a b", New: "x b"}, {Op: Replace, Old: "b", New: "y"}}},
		{"all", "a a a\n", "b b b\n", []Hunk{{Op: Replace, Old: "a", New: "b", All: true}}},
		{"remove", "a\nb\n", "a\n", []Hunk{{Op: Replace, Old: "b\n", New: ""}}},
		{"append", "a\n", "a\nb\n", []Hunk{{Op: Append, New: "b\n"}}},
		{"append to a line without end", "a", "a\nb\n", []Hunk{{Op: Append, New: "b\n"}}},
		{"prepend", "a\n", "b\na\n", []Hunk{{Op: Prepend, New: "b"}}},
		{"overwrite", "a\n", "b", []Hunk{{Op: Overwrite, New: "b"}}},
		{"overwrite what is binary", "a\x00", "b", []Hunk{{Op: Overwrite, New: "b"}}},
		{"overwrite, then replace", "a\n", "c\n", []Hunk{{Op: Overwrite, New: "b\n"}, {Op: Replace, Old: "b", New: "c"}}},
		{"CRLF is kept", "a\r\nb\r\nc\r\n", "a\r\nX\r\nY\r\nc\r\n", []Hunk{{Op: Replace, Old: "b\n", New: "X\nY\n"}}},
		{"CRLF in one line", "a\r\nb\r\n", "a\r\nX\r\nY\r\n", []Hunk{{Op: Replace, Old: "b", New: "X\nY"}}},
		{"CRLF, said so", "a\r\nb\r\n", "a\r\nX\r\n", []Hunk{{Op: Replace, Old: "b\r\n", New: "X\r\n"}}},
		{"CRLF, append", "a\r\n", "a\r\nb\r\n", []Hunk{{Op: Append, New: "b\n"}}},
		{"CRLF, overwrite", "a\r\n", "b\r\nc\r\n", []Hunk{{Op: Overwrite, New: "b\nc\n"}}},
		{"mixed line ends", "a\r\nb\nc\r\nd\r\n", "a\r\nb\nX\r\nd\r\n", []Hunk{{Op: Replace, Old: "c\nd", New: "X\nd"}}},
		{"byte order mark", "\uFEFFa\n", "\uFEFFb\na\n", []Hunk{{Op: Prepend, New: "b\n"}}},
		{"byte order mark, overwrite", "\uFEFFa\n", "\uFEFFb\n", []Hunk{{Op: Overwrite, New: "b\n"}}},
		{"no regular expression, no $", "a.*$1\n", "\\0 $1\n", []Hunk{{Op: Replace, Old: "a.*$1", New: "\\0 $1"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, dir := world(t, map[string]string{"sub/file.txt": test.before})
			patched, err := f.Patch("sub/file.txt", test.hunks)
			if err != nil {
				t.Fatal(err)
			}
			if got := content(t, filepath.Join(dir, "sub/file.txt")); got != test.after {
				t.Errorf("got %q, want %q", got, test.after)
			}
			if !strings.HasPrefix(patched.Diff, "--- a/sub/file.txt\n+++ b/sub/file.txt\n@@ ") {
				t.Errorf("diff %q", patched.Diff)
			}
		})
	}
}

func TestPatchFails(t *testing.T) {
	t.Parallel()
	text := "package a\n\nfunc f() {\n\tx := 1\n\treturn x\n}\n\nfunc g() {\n\treturn\n}\n"
	for _, test := range []struct {
		name  string
		hunks []Hunk
		wants []string
	}{
		{"not there", []Hunk{{Op: Replace, Old: "zzz", New: "y"}}, []string{"old is not in the file", "Nothing in it is like that"}},
		{"white space", []Hunk{{Op: Replace, Old: "    x := 1\n    return x", New: "y"}}, []string{"but for white space", "from line 4:\n\tx := 1\n\treturn x\n"}},
		{"a line differs", []Hunk{{Op: Replace, Old: "func f() {\n\tx := 2\n\treturn x\n}", New: "y"}}, []string{`line 2 of old differs: "\tx := 2" is "\tx := 1"`, "from line 3:"}},
		{"beyond the end", []Hunk{{Op: Replace, Old: "\treturn\n}\nmore", New: "y"}}, []string{"line 3 of old differs"}},
		{"several", []Hunk{{Op: Replace, Old: "func", New: "y"}}, []string{"2 times, at lines 3, 8"}},
		{"empty", []Hunk{{Op: Replace, New: "y"}}, []string{"use overwrite"}},
		{"the same", []Hunk{{Op: Replace, Old: "x", New: "x", All: true}}, []string{"the same"}},
		{"nothing changes", []Hunk{{Op: Overwrite, New: text}}, []string{"same as before"}},
		{"no hunks", nil, []string{"no hunk"}},
		{"unknown operation", []Hunk{{Op: "move"}}, []string{`"move"`}},
		{"the second fails", []Hunk{{Op: Replace, Old: "x := 1", New: "x := 3"}, {Op: Replace, Old: "zzz"}}, []string{"hunk 2 of 2"}},
		{"too large", []Hunk{{Op: Overwrite, New: strings.Repeat("x", maxPatched+1)}}, []string{"more than 8 MiB"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, dir := world(t, map[string]string{"f.go": text})
			_, err := f.Patch("f.go", test.hunks)
			wantError(t, err, test.wants...)
			if content(t, filepath.Join(dir, "f.go")) != text {
				t.Error("it was changed")
			}
			if names, _ := filepath.Glob(filepath.Join(dir, ".sketch-*")); len(names) > 0 {
				t.Errorf("left behind: %v", names)
			}
		})
	}
}

func TestPatchMakesFiles(t *testing.T) {
	t.Parallel()
	f, dir := world(t, nil)
	for _, op := range []Op{Overwrite, Append, Prepend} {
		patched, err := f.Patch("new/"+string(op)+"/x.txt", []Hunk{{Op: op, New: "hello\n"}})
		if err != nil || !strings.Contains(patched.Text, "Made") || !strings.HasPrefix(patched.Diff, "--- /dev/null\n") {
			t.Errorf("%s: %+v, %v", op, patched, err)
		}
		if got := content(t, filepath.Join(dir, "new", string(op), "x.txt")); got != "hello\n" {
			t.Errorf("%q", got)
		}
	}
	_, err := f.Patch("none.txt", []Hunk{{Op: Replace, Old: "a", New: "b"}})
	wantError(t, err, "does not exist")
	if _, err := f.Patch("empty.txt", []Hunk{{Op: Overwrite}}); err != nil {
		t.Errorf("an empty new file: %v", err)
	}
}

func TestPatchKeepsWhatAFileIs(t *testing.T) {
	t.Parallel()
	f, dir := world(t, map[string]string{"run.sh": "echo a\n", "target.txt": "a\n"})
	script, link := filepath.Join(dir, "run.sh"), filepath.Join(dir, "link.txt")
	if err := os.Chmod(script, 0o751); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target.txt", link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"run.sh", "link.txt"} {
		if _, err := f.Patch(name, []Hunk{{Op: Replace, Old: "a", New: "b"}}); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(script); err != nil || info.Mode() != 0o751 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 || content(t, filepath.Join(dir, "target.txt")) != "b\n" {
		t.Errorf("the link: %v, %v", info.Mode(), err)
	}
}

func TestPatchRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	f, dir := world(t, map[string]string{"bin": "a\x00b", "d/x": ""})
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"d": "is a directory", "fifo": "no regular file", "/dev/null": "no regular file", "bin": "binary file", "dangling": "link to nothing", "d/x/y": "no directory", "a\x00": "no path",
	} {
		_, err := f.Patch(name, []Hunk{{Op: Append, New: "x"}})
		wantError(t, err, want)
	}
}

func TestPatchNotesFaults(t *testing.T) {
	t.Parallel()
	f, _ := world(t, nil)
	patched, err := f.Patch("a.go", []Hunk{{Op: Overwrite, New: "// Code generated by x. DO NOT EDIT.\n\npackage a\nfunc {\n"}})
	if err != nil || !strings.Contains(patched.Text, "does not parse: a.go:4:") || !strings.Contains(patched.Text, "generated") {
		t.Errorf("%q, %v", patched.Text, err)
	}
}

// TestPatchesAtOnce is what a model does that calls the tool several times in one answer.
func TestPatchesAtOnce(t *testing.T) {
	t.Parallel()
	const n = 40
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "line <%d>\n", i)
	}
	f, dir := world(t, map[string]string{"f": text.String()})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, err := f.Patch("f", []Hunk{{Op: Replace, Old: fmt.Sprintf("<%d>", i), New: "done"}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := content(t, filepath.Join(dir, "f")); strings.Count(got, "line done\n") != n {
		t.Errorf("got %q", got)
	}
}

// TestFullDisk has a real one: /dev/full takes nothing.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	err := New(Config{Dir: "/"}).explain("/x", &os.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC})
	wantError(t, err, "the disk is full", "was not changed")
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, err = file.WriteString("x")
	wantError(t, New(Config{Dir: "/"}).explain("/x", err), "the disk is full")
}

func FuzzPatch(f *testing.F) {
	f.Add("a\nb\n", "b", "c", "replace")
	f.Add("a\r\nb\r\n", "a\nb", "x\ny", "replace")
	f.Add("\uFEFFa", "", "x", "prepend")
	f.Fuzz(func(t *testing.T, text, old, after, op string) {
		got, err := apply(text, Hunk{Op: Op(op), Old: old, New: after})
		if err == nil && isDOS(text) && Op(op) != Overwrite && strings.Count(after, "\r") == strings.Count(after, "\r\n") && strings.Contains(got, "\n") &&
			strings.HasSuffix(text, "\r\n") && !strings.ContainsAny(old, "\r\n") && !isDOS(got) {
			t.Errorf("the line ends are not kept: %q", got)
		}
	})
}
