package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/proc"
)

// Config says where the files are.
type Config struct {
	Dir string   // relative paths begin here
	Env []string // environment of rg and git; nil: that of this process
}

// Files is the agent's way to the file system.
type Files struct {
	dir string
	env []string
	rg  string // empty: not there
	git string

	changing sync.Mutex // one change at a time
}

// New looks for ripgrep and git.
func New(cfg Config) *Files {
	f := &Files{dir: cfg.Dir, env: cfg.Env}
	f.rg, f.git = proc.Find(cfg.Env, "rg"), proc.Find(cfg.Env, "git")
	return f
}

// Error is what went wrong, said to the model, with what to do about it.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

func failf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// abs returns the absolute path.
func (f *Files) abs(path string) (string, error) {
	if path == "" {
		path = "."
	}
	if len(path) > 4096 || strings.ContainsRune(path, 0) {
		return "", failf("This is no path.")
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", failf("~ is nowhere: %v.", err)
		}
		return filepath.Join(home, rest), nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.dir, path)
	}
	return filepath.Clean(path), nil
}

// show returns a path as it is told: relative where it is below the directory.
func (f *Files) show(path string) string {
	if rel, err := filepath.Rel(f.dir, path); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
		return rel
	}
	return path
}

// explain makes a sentence of an error of the file system.
func (f *Files) explain(path string, err error) error {
	name := f.show(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failf("%s does not exist.%s", name, f.alike(path))
	case errors.Is(err, fs.ErrPermission):
		return failf("%s: permission denied.", name)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return failf("%s was not changed: the disk is full. Free some space first (look with `df -h` and `du`).", name)
	case errors.Is(err, syscall.EROFS):
		return failf("%s was not changed: its file system is read-only.", name)
	case errors.Is(err, syscall.ENOTDIR):
		return failf("%s: a part of the path is no directory.", name)
	}
	return failf("%s: %v.", name, err)
}

// maxAlike bounds the directory that is searched for what may have been meant.
const maxAlike = 5000

// alike names what may have been meant by a path that is not there.
func (f *Files) alike(path string) string {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return " Its directory does not exist either; list_files shows what is there."
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(maxAlike) // what could be read has to do
	var found []string
	base := strings.ToLower(filepath.Base(path))
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	for _, name := range names {
		lower := strings.ToLower(name)
		if lower == base || stem != "" && strings.TrimSuffix(lower, filepath.Ext(lower)) == stem || len(stem) > 3 && strings.Contains(lower, stem) {
			found = append(found, f.show(filepath.Join(filepath.Dir(path), name)))
		}
	}
	if len(found) == 0 || len(found) > 5 {
		return ""
	}
	return " Did you mean " + strings.Join(found, " or ") + "?"
}
