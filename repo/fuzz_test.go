package repo

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever ValidSlug accepts, git accepts too.
func FuzzValidSlug(f *testing.F) {
	for _, s := range []string{"sketch-brave-otter", "", ".", "..", "a..b", "-x", "a.lock", "a.LOCK", "a/b", "a b", "@", "@{", "é", "a\x00b", "x.", "HEAD", strings.Repeat("x", 101)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, slug string) {
		if ValidSlug(slug) != nil {
			return
		}
		if quote(slug) != "'"+slug+"'" || strings.ContainsAny(slug, " /\\$`\"';&|<>*?~^:[{") {
			t.Errorf("%q needs quoting", slug)
		}
		if out, err := exec.Command("git", "check-ref-format", "--branch", "sketch/"+slug).CombinedOutput(); err != nil {
			t.Errorf("git refuses sketch/%s: %v\n%s", slug, err, out)
		}
	})
}

// A shell reads back what was quoted, and nothing runs.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "'", "a b", "$(touch x)", "`id`", "\\'", "a\nb\n", "\xff\xfe", "-n", "'\"'\"'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			return
		}
		out, err := exec.Command("sh", "-c", "printf %s "+quote(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("%q came back as %q, %v", s, out, err)
		}
	})
}

func FuzzFolderName(f *testing.F) {
	for _, s := range []string{"/", "", ".", "..", "/a/b", "/a/we ird; rm -rf", "/x\ny", "\xff", "/a/..", "/é", "\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		name := folderName(path)
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00\n\r\x1b\u009b") || !utf8.ValidString(name) {
			t.Errorf("%q became %q", path, name)
		}
	})
}

func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"git version 2.39.5 (Apple Git-154)", "git version 2.20", "git version 2", "git version 99999.1", "", "hub version 1.2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, out string) {
		if major, minor, ok := parseVersion(out); major < 0 || minor < 0 || !ok && major+minor != 0 {
			t.Errorf("%q: %d.%d, %v", out, major, minor, ok)
		}
	})
}

func FuzzParseProgress(f *testing.F) {
	for _, s := range []string{
		"Receiving objects:  45% (9/20), 1.2 MiB | 3.00 MiB/s", "remote: Counting objects: 100% (9/9), done.", "Updating files: 100% (3/3), done.",
		"From sketch://host", " * [new branch] main -> sketch-host/main", "fatal: 1% (1/2)", "remote: \x1b[31mred",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		progress, ok := parseProgress(line)
		if ok != (progress != "") || strings.HasPrefix(progress, "remote:") || strings.ContainsRune(progress, '\x1b') {
			t.Errorf("%q became %q, %v", line, progress, ok)
		}
	})
}

// However the bytes arrive, the lines are the same, none is empty, and none is longer than the limit.
func FuzzLines(f *testing.F) {
	f.Add([]byte("Receiving: 1%\rReceiving: 2%\rdone\nlast"), 3)
	f.Add([]byte("\n\n\r\r  \n"), 1)
	f.Add([]byte(strings.Repeat("x", 2*maxLine)+"\ny"), 1000)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		if size < 1 {
			return
		}
		whole, parts := split([][]byte{data}), split(slices.Collect(slices.Chunk(data, size)))
		if !slices.Equal(whole, parts) {
			t.Errorf("%q in parts of %d: %q, whole: %q", data, size, parts, whole)
		}
		for _, line := range whole {
			if line == "" || len(line) > maxLine || strings.ContainsAny(line, "\r\n") {
				t.Errorf("line %q", line)
			}
		}
	})
}

func split(chunks [][]byte) (lines []string) {
	w := Lines(func(line string) { lines = append(lines, line) })
	for _, chunk := range chunks {
		if n, err := w.Write(chunk); n != len(chunk) || err != nil {
			panic("Lines must take everything")
		}
	}
	w.Flush()
	return lines
}
