package files

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/proc"
)

// Bounds of a search.
const (
	maxMatches     = 300
	maxSearchBytes = 48 << 10
	maxShown       = 300      // bytes of a line that are shown
	maxSearchFile  = 16 << 20 // a larger file is none that was written by hand
)

// Query says what to search for.
type Query struct {
	Pattern    string // regular expression (RE2), or plain text
	Literal    bool   // the pattern is plain text
	IgnoreCase bool
	Path       string // file or directory; empty: all
	Glob       string // only in files that match, see List
	Context    int    // lines before and after each match, at most 20
}

// Search searches for lines in files, and returns them as "path:line:text", with context as "path-line-text".
func (f *Files) Search(ctx context.Context, q Query) (string, error) {
	path, err := f.abs(q.Path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", f.explain(path, err)
	}
	if q.Pattern == "" || len(q.Pattern) > 10_000 || strings.ContainsRune(q.Pattern, '\n') {
		return "", failf("The pattern has to be one line of at most 10,000 bytes.")
	}
	expr, err := q.compile()
	if err != nil {
		return "", err
	}
	q.Context = min(max(q.Context, 0), 20)
	found := &hits{}
	if f.rg != "" {
		err = f.ripgrep(ctx, q, path, found)
	} else {
		err = f.grep(ctx, q, expr, path, info.IsDir(), found)
	}
	if err != nil {
		return "", err
	}
	return found.text(), nil
}

func (q Query) compile() (*regexp.Regexp, error) {
	pattern := q.Pattern
	if q.Literal {
		pattern = regexp.QuoteMeta(pattern)
	}
	flags := "(?m)" // whole files are looked through first
	if q.IgnoreCase {
		flags = "(?im)"
	}
	expr, err := regexp.Compile(flags + pattern)
	if err != nil {
		return nil, failf("The pattern is no regular expression: %v. Escape it, or set literal.", err)
	}
	return expr, nil
}

// hits collects lines within bounds.
type hits struct {
	out     strings.Builder
	matches int
	full    bool
}

// add adds a line, and reports whether there is room for more.
func (h *hits) add(line string, match bool) bool {
	if h.full || match && h.matches >= maxMatches || h.out.Len()+len(line) > maxSearchBytes {
		h.full = true
		return false
	}
	if match {
		h.matches++
	}
	h.out.WriteString(line)
	h.out.WriteByte('\n')
	return true
}

func (h *hits) text() string {
	switch {
	case h.matches == 0 && !h.full:
		return "No match.\n"
	case h.full:
		return h.out.String() + "[there are more: narrow the pattern, the glob or the path]\n"
	}
	return h.out.String()
}

func shorten(line string) string {
	line = strings.ToValidUTF8(strings.TrimRight(line, "\r\n"), string(utf8.RuneError))
	if len(line) <= maxShown {
		return line
	}
	cut := maxShown
	for !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut] + " […]"
}

// ripgrep searches with rg. Its regular expressions are those of RE2, but for details.
func (f *Files) ripgrep(ctx context.Context, q Query, path string, found *hits) error {
	args := []string{"--no-config", "--hidden", "--glob=!.git", "--line-number", "--no-heading", "--with-filename", "--color=never", "--sort=path", "--null", "--max-filesize=16M"}
	if q.Literal {
		args = append(args, "--fixed-strings")
	}
	if q.IgnoreCase {
		args = append(args, "--ignore-case")
	}
	if q.Glob != "" {
		args = append(args, "--glob="+strings.TrimPrefix(q.Glob, "./"))
	}
	if q.Context > 0 {
		args = append(args, fmt.Sprintf("--context=%d", q.Context))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := proc.Command(ctx, f.env, path, f.rg, append(args, "-e", q.Pattern, "--", ".")...)
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		cmd.Dir = filepath.Dir(path)
		cmd.Args[len(cmd.Args)-1] = "./" + filepath.Base(path)
	}
	stderr := &limited{limit: 2000}
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); ctx.Err() != nil {
		return ctx.Err()
	} else if err != nil {
		return failf("rg cannot be started: %v.", err)
	}
	f.collect(cmd.Dir, out, found)
	if found.full {
		cancel()
	}
	err = cmd.Wait()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 2 && found.matches == 0 {
		return failf("rg failed: %s", strings.TrimSpace(stderr.String()))
	}
	if ctx.Err() != nil && !found.full {
		return ctx.Err()
	}
	return nil
}

// collect reads rg's lines: a path, a zero byte, a number, ":" or "-", and the text.
func (f *Files) collect(dir string, out io.Reader, found *hits) {
	r := bufio.NewReader(out)
	for {
		line, _, err := readLine(r)
		name, rest, ok := bytes.Cut(line, []byte{0})
		if ok {
			digits := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
			if digits < 0 {
				return
			}
			sep := string(rest[digits : digits+1])
			path := f.show(filepath.Join(dir, string(name)))
			if !found.add(path+sep+string(rest[:digits])+sep+shorten(string(rest[digits+1:])), sep == ":") {
				return
			}
		} else if string(bytes.TrimSpace(line)) == "--" {
			found.add("--", false)
		}
		if err != nil {
			return
		}
	}
}

// grep is the search for images without rg.
func (f *Files) grep(ctx context.Context, q Query, expr *regexp.Regexp, path string, isDir bool, found *hits) error {
	match := func(string) bool { return true }
	if q.Glob != "" {
		var err error
		if match, err = compileGlob(q.Glob); err != nil {
			return err
		}
	}
	if !isDir {
		return f.grepFile(ctx, q, expr, path, found)
	}
	var failed error
	_, err := f.walk(ctx, path, func(rel string) bool {
		if match(rel) {
			failed = f.grepFile(ctx, q, expr, filepath.Join(path, rel), found)
		}
		return failed == nil && !found.full
	})
	return errors.Join(failed, err)
}

// grepFile searches one file. What cannot be read, is binary or is huge has no matches.
func (f *Files) grepFile(ctx context.Context, q Query, expr *regexp.Regexp, path string, found *hits) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSearchFile {
		return nil //nolint:nilerr // see above
	}
	data, err := os.ReadFile(path)
	if err != nil || bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 || !expr.Match(data) {
		return nil //nolint:nilerr // see above
	}
	all := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	name, shown := f.show(path), 0 // lines that need not be shown again
	for i, line := range all {
		if !expr.MatchString(strings.TrimSuffix(line, "\r")) {
			continue
		}
		from := max(i-q.Context, shown)
		if q.Context > 0 && from > shown && found.matches > 0 {
			found.add("--", false)
		}
		for j := from; j <= min(i+q.Context, len(all)-1); j++ {
			sep, isMatch := "-", j == i || expr.MatchString(strings.TrimSuffix(all[j], "\r"))
			if isMatch {
				sep = ":"
			}
			if j >= shown && !found.add(fmt.Sprintf("%s%s%d%s%s", name, sep, j+1, sep, shorten(all[j])), isMatch) {
				return nil
			}
			shown = max(shown, j+1)
		}
	}
	return nil
}
