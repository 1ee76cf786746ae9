package files

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
)

// replaceFile puts new content into a file by way of another one that takes its name, so that nobody sees half of it and a full disk
// leaves it as it was. Where that cannot be, because the directory is not ours to write or the file is a mount, it is written in place.
func replaceFile(path string, data []byte) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	temp, err := writeBeside(path, data, info)
	if err == nil {
		if err = os.Rename(temp, path); err != nil {
			os.Remove(temp)
		}
	}
	if info != nil && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EROFS)) {
		return os.WriteFile(path, data, info.Mode().Perm())
	}
	return err
}

// writeBeside writes a new file in the same directory, with the mode and the owner of the old one if there is one.
func writeBeside(path string, data []byte, info fs.FileInfo) (temp string, err error) {
	temp = filepath.Join(filepath.Dir(path), fmt.Sprintf(".sketch-%016x", rand.Uint64()))
	file, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err == nil && info != nil {
		err = likeOld(file, info)
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		os.Remove(temp)
		return "", err
	}
	return temp, nil
}

func likeOld(file *os.File, info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		// Only root can give a file away. Another user owns the new one, as after an editor's save.
		_ = file.Chown(int(stat.Uid), int(stat.Gid))
	}
	return file.Chmod(info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky))
}
