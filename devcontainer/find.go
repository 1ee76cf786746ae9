package devcontainer

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The names that the specification gives.
const (
	folderName = ".devcontainer"
	fileName   = "devcontainer.json"
	dotFile    = ".devcontainer.json"
)

const (
	maxFolderEntries = 1000 // of .devcontainer that are looked at
	maxNamedFolders  = 64   // .devcontainer/<name> that are looked into
)

// ErrNotFound means that a repository has no devcontainer.json that is meant without choosing.
var ErrNotFound = errors.New("no devcontainer.json")

// AmbiguousError means that there is one only in several .devcontainer/<name> folders. It is an [ErrNotFound] too.
type AmbiguousError struct {
	Paths []string // sorted
}

func (e *AmbiguousError) Error() string {
	names := make([]string, 0, len(e.Paths))
	for _, p := range e.Paths {
		names = append(names, filepath.Base(filepath.Dir(p)))
	}
	return fmt.Sprintf("several devcontainer.json in %s: %s", folderName, strings.Join(names, ", "))
}

// Unwrap makes it an ErrNotFound.
func (e *AmbiguousError) Unwrap() error { return ErrNotFound }

// Find returns the path of a repository's devcontainer.json, in the order of the specification: .devcontainer/devcontainer.json, .devcontainer.json, and
// the only .devcontainer/<name>/devcontainer.json. The error is [ErrNotFound] when there is none.
func Find(root string) (string, error) {
	for _, path := range []string{filepath.Join(root, folderName, fileName), filepath.Join(root, dotFile)} {
		if ok, err := isFile(path); ok || err != nil {
			return path, err
		}
	}
	names, err := namedFolders(root)
	if err != nil {
		return "", err
	}
	var found []string
	for _, name := range names {
		path := filepath.Join(root, folderName, name, fileName)
		ok, err := isFile(path)
		if err != nil {
			return "", err
		}
		if ok {
			found = append(found, path)
		}
	}
	switch len(found) {
	case 0:
		return "", ErrNotFound
	case 1:
		return found[0], nil
	}
	return "", &AmbiguousError{Paths: found}
}

// isFile tells whether there is a regular file, be it through symbolic links.
func isFile(path string) (bool, error) {
	info, err := os.Stat(path)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find devcontainer.json: %w", err)
	}
	return info.Mode().IsRegular(), nil
}

// missing tells that a path leads nowhere, also because what should be a folder is a file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// namedFolders lists the folders in .devcontainer, sorted and bounded.
func namedFolders(root string) ([]string, error) {
	f, err := os.Open(filepath.Join(root, folderName)) //nolint:gosec // the caller's repository
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find devcontainer.json: %w", err)
	}
	entries, err := f.ReadDir(maxFolderEntries)
	err = cmp.Or(f.Close(), err)
	if missing(err) || errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find devcontainer.json: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names[:min(len(names), maxNamedFolders)], nil
}
