package files

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/proc"
)

// Bounds of listings.
const (
	maxListed   = 500
	maxWalked   = 200_000
	maxGitBytes = 32 << 20
)

// heaps are directories that our own walk leaves out, where no git says what is ignored.
var heaps = []string{".git", "node_modules", ".venv", "__pycache__", ".hg", ".svn", ".cache"}

// List shows a directory, or, with a pattern, the files below it whose names match: "*.go" by their base name, "cmd/**/*.go" by their path.
func (f *Files) List(ctx context.Context, path, pattern string) (string, error) {
	path, err := f.abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", f.explain(path, err)
	}
	if !info.IsDir() {
		return fmt.Sprintf("%s\t%d bytes\n", f.show(path), info.Size()), nil
	}
	if pattern == "" {
		return f.listOne(path)
	}
	match, err := compileGlob(pattern)
	if err != nil {
		return "", err
	}
	var found []string
	complete, err := f.walk(ctx, path, func(rel string) bool {
		if match(rel) {
			found = append(found, f.show(filepath.Join(path, rel)))
		}
		return len(found) <= maxListed
	})
	if err != nil {
		return "", err
	}
	slices.Sort(found)
	switch {
	case len(found) == 0:
		return fmt.Sprintf("No file below %s matches %s.\n", f.show(path), pattern), nil
	case !complete:
		return strings.Join(found[:min(len(found), maxListed)], "\n") + "\n[there are more: narrow the pattern or the path]\n", nil
	}
	return strings.Join(found, "\n") + "\n", nil
}

// listOne lists one directory.
func (f *Files) listOne(path string) (string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return "", f.explain(path, err)
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxWalked)
	if len(entries) == 0 {
		if _, again := dir.ReadDir(1); err != nil && again != nil && !strings.Contains(err.Error(), "EOF") {
			return "", f.explain(path, err)
		}
		return fmt.Sprintf("%s is empty.\n", f.show(path)), nil
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var b strings.Builder
	for i, entry := range entries {
		if i == maxListed {
			fmt.Fprintf(&b, "[%d more]\n", len(entries)-i)
			break
		}
		b.WriteString(describe(path, entry))
	}
	return b.String(), nil
}

func describe(dir string, entry fs.DirEntry) string {
	switch {
	case entry.IsDir():
		return entry.Name() + "/\n"
	case entry.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err != nil {
			target = "?"
		}
		return fmt.Sprintf("%s -> %s\n", entry.Name(), target)
	}
	info, err := entry.Info()
	if err != nil {
		return entry.Name() + "\n"
	}
	return fmt.Sprintf("%s\t%d bytes\n", entry.Name(), info.Size())
}

// walk hands out the files below a directory that git does not ignore, as paths relative to it, until visit says false. complete says that
// there are no more.
func (f *Files) walk(ctx context.Context, dir string, visit func(rel string) bool) (complete bool, err error) {
	if names, ok := f.gitFiles(ctx, dir); ok {
		for _, name := range names {
			if name != "" && !visit(name) {
				return false, nil
			}
		}
		return true, nil
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	complete, walked := true, 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return nil //nolint:nilerr // what cannot be read has nothing to list
		}
		if d.IsDir() {
			if path != dir && slices.Contains(heaps, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if walked++; err != nil || walked > maxWalked || !visit(rel) {
			complete = false
			return filepath.SkipAll
		}
		return nil
	})
	return complete, err
}

// gitFiles asks git what there is below a directory and is not ignored.
func (f *Files) gitFiles(ctx context.Context, dir string) (names []string, ok bool) {
	if f.git == "" {
		return nil, false
	}
	var out limited
	out.limit = maxGitBytes
	cmd := proc.Command(ctx, f.env, dir, f.git, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	cmd.Stdout = &out
	if cmd.Run() != nil || out.over {
		return nil, false // no repository, an old git, or more than we want to hold
	}
	return strings.Split(out.String(), "\x00"), true
}

// limited is a buffer that takes only so much.
type limited struct {
	bytes.Buffer
	limit int
	over  bool
}

// Write takes what there is room for, and says that it took all.
func (l *limited) Write(p []byte) (int, error) {
	room := l.limit - l.Len()
	if len(p) > room {
		l.over = true
	}
	l.Buffer.Write(p[:min(len(p), max(room, 0))])
	return len(p), nil
}
