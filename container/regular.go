package container

import (
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

// notRegularError: a path is there, and is not a file.
type notRegularError struct{ mode fs.FileMode }

func (e *notRegularError) Error() string {
	kinds := map[fs.FileMode]string{
		fs.ModeDir: "folder", fs.ModeNamedPipe: "named pipe", fs.ModeSocket: "socket", fs.ModeSymlink: "symbolic link",
		fs.ModeDevice: "device", fs.ModeDevice | fs.ModeCharDevice: "device",
	}
	kind := kinds[e.mode.Type()]
	if kind == "" {
		kind = "special file"
	}
	return "it is a " + kind + ", and a file is needed"
}

// readBounded reads a regular file of at most limit bytes, wherever links lead.
func readBounded(path string, limit int64) ([]byte, error) {
	return readRegular(os.Stat, os.OpenFile, path, limit)
}

// readWithin reads a regular file of a repository of at most limit bytes: links that lead out of it are refused, and so
// are those into .git, which holds the credentials of remotes.
func readWithin(root *os.Root, path string, limit int64) ([]byte, error) {
	data, err := readRegular(root.Stat, root.OpenFile, path, limit)
	if err != nil {
		return nil, describeLink(root, path, err)
	}
	base, err1 := filepath.EvalSymlinks(root.Name())
	real, err2 := filepath.EvalSymlinks(filepath.Join(root.Name(), path))
	rel, err3 := filepath.Rel(base, real)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(strings.Split(filepath.ToSlash(rel), "/"), isGit) {
		return nil, fmt.Errorf("it leads to %s: %w", printable(rel), errWithinGit)
	}
	return data, nil
}

var errWithinGit = errors.New("nothing is read from .git")

// describeLink says which link is at fault. A file that is not there stays fs.ErrNotExist, a link to nothing does not.
func describeLink(root *os.Root, path string, err error) error {
	for i := range len(path) + 1 {
		if i < len(path) && path[i] != filepath.Separator {
			continue
		}
		info, lstatErr := root.Lstat(path[:i])
		if lstatErr != nil || info.Mode().Type() != fs.ModeSymlink || errors.Is(err, fs.ErrNotExist) && i < len(path) {
			continue
		}
		target, _ := root.Readlink(path[:i]) // a link that has gone meanwhile is named all the same
		return fmt.Errorf("the link %s leads to %s, which cannot be followed within the repository: %s", printable(path[:i]), printable(target), bareReason(err))
	}
	return err
}

// bareReason is a call's error without the call and the path, for a sentence that names the path already.
func bareReason(err error) string {
	if call, ok := errors.AsType[*fs.PathError](err); ok {
		err = call.Err
	}
	return printable(err.Error())
}

func readRegular(stat func(string) (fs.FileInfo, error), open func(string, int, fs.FileMode) (*os.File, error), path string, limit int64) ([]byte, error) {
	f, err := openRegular(stat, open, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %s: above %d bytes: %w", path, limit, ErrTooBig)
	}
	return data, nil
}

// openRegular opens nothing but a regular file. What it is is asked before, since opening a device can do things, and
// after, since it may have become another; a named pipe that it became does not block.
func openRegular(stat func(string) (fs.FileInfo, error), open func(string, int, fs.FileMode) (*os.File, error), path string) (*os.File, error) {
	info, err := stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &notRegularError{info.Mode()}
	}
	f, err := open(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = &notRegularError{info.Mode()}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
