package container

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
)

// contextWalk collects the entries of a context.
type contextWalk struct {
	src      source
	excluded *patternmatcher.PatternMatcher
	limit    int64
	total    int64
	sizes    map[string]int64 // of the first path elements, for the error
	entries  []contextEntry
}

func (w *contextWalk) only(name string) error {
	info, err := os.Stat(filepath.Join(w.src.dir, name))
	if err != nil {
		return err
	}
	w.entries = append(w.entries, contextEntry{path: name, info: info})
	return nil
}

func (w *contextWalk) visit(path string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(w.src.dir, path)
	if err != nil || rel == "." {
		return err
	}
	rel = filepath.ToSlash(rel)
	skip, err := w.skips(rel, d.IsDir())
	if err != nil || skip {
		return err
	}
	return w.add(path, rel, d)
}

// skips tells whether rel is excluded. A folder that is excluded is not entered, unless a later "!" pattern may bring
// something in it back.
func (w *contextWalk) skips(rel string, dir bool) (bool, error) {
	if rel == w.src.dockerfile {
		return false, nil
	}
	excluded, err := w.excluded.MatchesOrParentMatches(rel)
	if err != nil || !excluded {
		return false, err
	}
	if dir && !w.mayReinclude(rel) {
		return true, filepath.SkipDir
	}
	return true, nil
}

func (w *contextWalk) mayReinclude(dir string) bool {
	for _, p := range w.excluded.Patterns() {
		pattern := p.String()
		if !p.Exclusion() {
			continue
		}
		if strings.HasPrefix(pattern+"/", dir+"/") || strings.ContainsAny(pattern, "*?[") {
			return true
		}
	}
	return false
}

// add takes files, folders and links; a socket or a device cannot be sent, and is nobody's input.
func (w *contextWalk) add(path, rel string, d fs.DirEntry) error {
	info, err := d.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed since the folder was read
	}
	if err != nil {
		return err
	}
	entry := contextEntry{path: rel, info: info}
	switch info.Mode().Type() {
	case 0:
		if err := w.count(rel, info.Size()); err != nil {
			return err
		}
	case fs.ModeDir:
	case fs.ModeSymlink:
		if entry.target, err = os.Readlink(path); err != nil {
			return err
		}
	default:
		return nil
	}
	w.entries = append(w.entries, entry)
	return nil
}

func (w *contextWalk) count(rel string, size int64) error {
	top, _, _ := strings.Cut(rel, "/")
	w.sizes[top] += size
	w.total += size
	if w.total <= w.limit && len(w.entries) < maxContextFiles {
		return nil
	}
	var largest string
	for name, size := range w.sizes {
		if largest == "" || cmp.Or(cmp.Compare(size, w.sizes[largest]), cmp.Compare(largest, name)) > 0 {
			largest = name
		}
	}
	return fmt.Errorf("%w: above %d MiB or %d files; leave out what the image does not need in %s (so far the largest is %s, %d MiB)",
		ErrTooBig, w.limit>>20, maxContextFiles, w.src.ignore[len(w.src.ignore)-1], largest, w.sizes[largest]>>20)
}
