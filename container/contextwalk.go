package container

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

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

// dockerfile adds the Dockerfile as it was read and checked: also where it is a link, and where it has changed since.
func (w *contextWalk) dockerfile() error {
	info, err := w.src.root.Stat(filepath.FromSlash(w.src.file))
	if err != nil {
		return err
	}
	w.entries = append(w.entries, contextEntry{path: w.src.dockerfile, info: info, data: w.src.data})
	return nil
}

// folder adds what is in a folder of the context, in lexical order.
func (w *contextWalk) folder(rel string) error {
	names, err := w.list(rel)
	if err != nil {
		return err
	}
	for _, d := range names {
		name := path.Join(rel, d.Name())
		excluded, err := w.excludes(name)
		if err != nil {
			return err
		}
		if !excluded {
			if err := w.add(name); err != nil {
				return err
			}
		}
		// One that is excluded is not entered, unless a later "!" pattern may bring something in it back.
		if d.IsDir() && !isGit(d.Name()) && (!excluded || w.mayReinclude(name)) {
			if err := w.folder(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// list passes over a folder that was removed since it was seen.
func (w *contextWalk) list(rel string) ([]fs.DirEntry, error) {
	dir, err := w.src.root.OpenFile(w.path(rel), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) && rel != "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.ReadDir(-1)
	slices.SortFunc(names, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return names, err
}

// path is relative to the repository.
func (w *contextWalk) path(rel string) string {
	return filepath.Join(w.src.dir, filepath.FromSlash(rel))
}

func (w *contextWalk) excludes(rel string) (bool, error) {
	if isGit(path.Base(rel)) {
		return true, nil
	}
	if rel == w.src.dockerfile {
		return false, nil
	}
	return w.excluded.MatchesOrParentMatches(rel)
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
func (w *contextWalk) add(rel string) error {
	if rel == w.src.dockerfile {
		return w.dockerfile()
	}
	info, err := w.src.root.Lstat(w.path(rel))
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
		if entry.target, err = w.src.root.Readlink(w.path(rel)); err != nil {
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
		ErrTooBig, w.limit>>20, maxContextFiles, w.src.ignore[len(w.src.ignore)-1], printable(largest), w.sizes[largest]>>20)
}
