package sshconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

var errChanged = errors.New("something else changed it at the same moment")

// replace puts edited where old was read, in one step: whoever reads the file meanwhile, a killed process or a full disk leave the one or the other. The
// file keeps its mode and owner. info is nil where there was no file; it and its directory are then made for the user alone.
func replace(path string, old, edited []byte, info fs.FileInfo) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", dir, plain(err))
	}
	tmp, err := os.CreateTemp(dir, ".config-sketch-") // 0600
	if err != nil {
		return fmt.Errorf("write in %s: %w", dir, plain(err))
	}
	_, err = tmp.Write(edited)
	err = errors.Join(plain(err), likeBefore(tmp, info), tmp.Sync(), tmp.Close())
	if err == nil {
		// Editors and other tools know nothing of our lock: the less time between a look and the step, the better.
		if now, _, readErr := read(path); readErr != nil || !bytes.Equal(now, old) {
			err = errors.Join(errChanged, readErr)
		}
	}
	if err == nil {
		err = plain(os.Rename(tmp.Name(), path))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// likeBefore gives f the mode and owner of the file that it takes the place of.
func likeBefore(f *os.File, info fs.FileInfo) error {
	if info == nil {
		return nil
	}
	if err := f.Chmod(info.Mode().Perm()); err != nil {
		return plain(err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	mine, err := f.Stat()
	if err != nil || !ok {
		return err
	}
	if now, ok := mine.Sys().(*syscall.Stat_t); ok && now.Uid == stat.Uid && now.Gid == stat.Gid {
		return nil
	}
	if err := f.Chown(int(stat.Uid), int(stat.Gid)); err != nil {
		return fmt.Errorf("keep its owner: %w", plain(err))
	}
	return nil
}
