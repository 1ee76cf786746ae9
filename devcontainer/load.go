package devcontainer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// MaxSize is how many bytes a devcontainer.json may have.
const MaxSize = 1 << 20

// ErrTooLarge means that a file has more than [MaxSize] bytes.
var ErrTooLarge = fmt.Errorf("larger than %d MiB", MaxSize>>20)

// ErrNotRegular means that a path is a folder, a pipe or another thing that is no file.
var ErrNotRegular = errors.New("not a regular file")

// Load reads a devcontainer.json. path is one that [Find] returned, or is placed like one: the repository that its paths must stay in is the folder that
// has the .devcontainer folder, else the file's own.
//
// It is lenient: unknown keys are ignored, and the Config has everything that could be understood. The error is of one errors.Join and has a [*KeyError] for
// each key that could not, or it is about the whole file, such as a [*SyntaxError], and the Config is empty but for Path and Root.
func Load(path string) (Config, error) {
	root, err := rootOf(path)
	if err != nil {
		return Config{Path: path}, fmt.Errorf("load %s: %w", path, err)
	}
	empty := Config{Path: path, Root: root}
	if err := inside(root, path); err != nil {
		return empty, fmt.Errorf("load %s: %w", path, err)
	}
	data, err := readBounded(path)
	if err != nil {
		return empty, fmt.Errorf("load %s: %w", path, err)
	}
	return decode(empty, data)
}

// rootOf is the absolute path of the repository that a devcontainer.json belongs to. It goes by names, not by where symbolic links lead.
func rootOf(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(path)
	parent := filepath.Dir(dir)
	switch {
	case filepath.Base(path) == dotFile:
		return dir, nil
	case filepath.Base(dir) == folderName:
		return parent, nil
	case filepath.Base(parent) == folderName:
		return filepath.Dir(parent), nil
	}
	return dir, nil
}

// inside checks that an existing path, or the part of it that exists, is in root when all symbolic links are followed.
func inside(root, path string) error {
	realRoot, err := filepath.EvalSymlinks(root)
	if err != nil {
		return err
	}
	realPath, err := filepath.EvalSymlinks(path)
	for missing(err) {
		if _, linkErr := os.Lstat(path); linkErr == nil {
			return fmt.Errorf("%w: its symbolic link leads nowhere", ErrOutside)
		}
		path = filepath.Dir(path)
		realPath, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(realRoot, realPath); err != nil || !filepath.IsLocal(rel) {
		return fmt.Errorf("%w by a symbolic link", ErrOutside)
	}
	return nil
}

// readBounded reads a regular file. What else there may be, such as a pipe, neither blocks it nor is read.
func readBounded(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSize {
		return nil, ErrTooLarge
	}
	return data, nil
}

// relativeTo makes path relative to root, whether root is written with its symbolic links or without.
func relativeTo(root, path string) (string, error) {
	realRoot, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", err
	}
	for _, r := range []string{root, realRoot} {
		if rel, err := filepath.Rel(r, path); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), nil
		}
	}
	return "", ErrOutside
}

// folderOf is the folder of a devcontainer.json relative to its repository, slash-separated.
func folderOf(c Config) string {
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return "."
	}
	rel, err := filepath.Rel(c.Root, filepath.Dir(path))
	if err != nil || strings.HasPrefix(rel, "..") {
		return "."
	}
	return filepath.ToSlash(rel)
}
