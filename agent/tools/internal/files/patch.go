package files

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// Op is what a hunk does.
type Op string

// The operations.
const (
	Replace   Op = "replace"   // old, which has to be there exactly once, becomes new
	Append    Op = "append"    // new comes after the end
	Prepend   Op = "prepend"   // new comes before the beginning
	Overwrite Op = "overwrite" // new becomes the whole file, which need not exist
)

// Hunk is one change of a file.
type Hunk struct {
	Op       Op
	Old, New string
	All      bool // replace each old, however many there are
}

// maxPatched bounds a file that is changed.
const maxPatched = 8 << 20

// Patched says what became of a file.
type Patched struct {
	Text string // for the model
	Diff string // unified
}

// Patch applies hunks to a file, one after the other; either all apply, or the file stays as it is.
func (f *Files) Patch(path string, hunks []Hunk) (Patched, error) {
	path, err := f.abs(path)
	if err != nil {
		return Patched{}, err
	}
	f.changing.Lock()
	defer f.changing.Unlock()
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return Patched{}, failf("%s is a symbolic link to nothing.", f.show(path))
		}
		target = path
	} else if err != nil {
		return Patched{}, f.explain(path, err)
	}
	old, exists, err := f.load(target, hunks)
	if err != nil {
		return Patched{}, err
	}
	after := old
	for i, hunk := range hunks {
		if after, err = apply(after, hunk); err != nil {
			return Patched{}, failf("%s was not changed: %s%v", f.show(path), hunkName(i, len(hunks)), err)
		}
	}
	switch {
	case exists && after == old:
		return Patched{}, failf("%s was not changed: it would be the same as before.", f.show(path))
	case len(after) > maxPatched:
		return Patched{}, failf("%s was not changed: it would have %d bytes, more than %d MiB.", f.show(path), len(after), maxPatched>>20)
	}
	if err := replaceFile(target, []byte(after)); err != nil {
		return Patched{}, f.explain(path, err)
	}
	return f.report(path, old, after, exists), nil
}

func hunkName(i, n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf("hunk %d of %d: ", i+1, n)
}

// load reads what is to be changed. What does not exist may be made.
func (f *Files) load(path string, hunks []Hunk) (text string, exists bool, err error) {
	if len(hunks) == 0 {
		return "", false, failf("There is no hunk.")
	}
	whole := hunks[0].Op == Overwrite
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && hunks[0].Op != Replace:
		return "", false, nil
	case err != nil:
		return "", false, f.explain(path, err)
	case info.IsDir():
		return "", false, failf("%s is a directory.", f.show(path))
	case !info.Mode().IsRegular():
		return "", false, failf("%s is no regular file (%v).", f.show(path), info.Mode())
	case info.Size() > maxPatched:
		return "", false, failf("%s has %d bytes, more than %d MiB: change it with bash.", f.show(path), info.Size(), maxPatched>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", false, f.explain(path, err)
	}
	if bytes.IndexByte(data, 0) >= 0 && !whole {
		return "", false, failf("%s is a binary file: it can only be overwritten.", f.show(path))
	}
	return string(data), true, nil
}

const bom = "\uFEFF"

// apply applies one hunk to a text whose line ends and byte order mark it keeps.
func apply(text string, h Hunk) (string, error) {
	mark := ""
	if rest, ok := strings.CutPrefix(text, bom); ok {
		mark, text = bom, rest
	}
	if h.Op != Replace {
		h.New = strings.TrimPrefix(h.New, bom)
		if isDOS(text) {
			h.New = toDOS(h.New)
		}
	}
	switch h.Op {
	case Replace:
		after, err := replace(text, h)
		return mark + after, err
	case Append:
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += lineEnd(text)
		}
		return mark + text + h.New, nil
	case Prepend:
		if text != "" && h.New != "" && !strings.HasSuffix(h.New, "\n") {
			h.New += lineEnd(text)
		}
		return mark + h.New + text, nil
	case Overwrite:
		return mark + h.New, nil
	}
	return "", fmt.Errorf("there is no operation %q", h.Op)
}

// isDOS reports whether all lines end in CR LF.
func isDOS(text string) bool {
	n := strings.Count(text, "\n")
	return n > 0 && n == strings.Count(text, "\r\n")
}

func toDOS(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

func lineEnd(text string) string {
	if isDOS(text) {
		return "\r\n"
	}
	return "\n"
}

func replace(text string, h Hunk) (string, error) {
	if h.Old == "" {
		return "", errors.New("old is empty; to write a whole file, use overwrite")
	}
	n := strings.Count(text, h.Old)
	if n == 0 && strings.Contains(h.Old, "\n") && strings.Contains(text, "\r\n") {
		// Models see and write LF; in a file of mixed line ends either may be meant.
		h.Old, h.New = toDOS(h.Old), toDOS(h.New)
		n = strings.Count(text, h.Old)
	} else if isDOS(text) {
		h.New = toDOS(h.New)
	}
	switch {
	case n == 0:
		return "", errors.New("old is not in the file. " + nearMiss(text, h.Old))
	case n > 1 && !h.All:
		return "", fmt.Errorf("old is there %d times, at lines %s. Take more of the lines around it, or set all", n, lineNumbers(text, h.Old))
	case h.Old == h.New:
		return "", errors.New("old and new are the same")
	}
	return strings.ReplaceAll(text, h.Old, h.New), nil
}

// lineNumbers names the first lines at which a part begins.
func lineNumbers(text, part string) string {
	var numbers []string
	line, at := 1, 0
	for len(numbers) < 10 {
		i := strings.Index(text[at:], part)
		if i < 0 {
			return strings.Join(numbers, ", ")
		}
		line += strings.Count(text[at:at+i], "\n")
		numbers = append(numbers, fmt.Sprint(line))
		line += strings.Count(part, "\n")
		at += i + len(part)
	}
	return strings.Join(numbers, ", ") + " and more"
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// report tells what was changed, and what looks wrong about it.
func (f *Files) report(path, old, after string, exists bool) Patched {
	name := f.show(path)
	from := "a/" + name
	if !exists {
		from = "/dev/null"
	}
	diff, err := udiff.ToUnified(from, "b/"+name, old, udiff.Lines(old, after), 3)
	if err != nil {
		diff = "" // of what could not be compared, nothing is shown
	}
	added, removed := countLines(diff)
	verb := "Changed"
	if !exists {
		verb = "Made"
	}
	text := fmt.Sprintf("%s %s: %d lines added, %d removed.\n", verb, name, added, removed)
	if strings.HasSuffix(name, ".go") {
		if _, err := parser.ParseFile(token.NewFileSet(), name, after, parser.SkipObjectResolution); err != nil {
			text += fmt.Sprintf("It does not parse: %v.\n", err)
		}
		if generated.MatchString(after) {
			text += "It says that it is generated: change what generates it instead.\n"
		}
	}
	return Patched{Text: text, Diff: diff}
}

func countLines(diff string) (added, removed int) {
	for line := range strings.Lines(diff) {
		switch {
		case strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "--- "):
		case line[0] == '+':
			added++
		case line[0] == '-':
			removed++
		}
	}
	return added, removed
}
