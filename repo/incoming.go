package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// ErrDiskFull says that there is no room left, here or inside.
var ErrDiskFull = errors.New("the disk is full")

// fullTexts are how programs say it.
var fullTexts = []string{"No space left on device", "no space left on device", "Disk quota exceeded", "disk quota exceeded"}

// full makes err one around [ErrDiskFull] where that is its cause.
func full(err error) error {
	if err == nil || errors.Is(err, ErrDiskFull) {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || said(err, fullTexts...) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return err
}

// isFull reports whether one of the lines says that there is no room.
func (l *lastLines) isFull() bool {
	return slices.ContainsFunc(*l, func(line string) bool {
		return slices.ContainsFunc(fullTexts, func(text string) bool { return strings.Contains(line, text) })
	})
}

// addObjects has git write the objects of a pack into the user's repository, as one pack or one by one. It writes them beside the others first: what a full disk
// cuts off is removed, where git would leave it until it is weeks old, on a disk that has no room for it.
func (r *Repo) addObjects(ctx context.Context, pack io.Reader, loose bool) (err error) {
	objects := filepath.Join(r.CommonDir, "objects")
	dir, err := os.MkdirTemp(objects, "tmp_objdir-sketch-") // a name that git's gc removes when it is left behind
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	args := []string{"--git-dir=.", "index-pack", "--stdin"}
	if loose {
		args = []string{"--git-dir=.", "unpack-objects", "-q"}
	}
	env := environment("GIT_OBJECT_DIRECTORY="+dir, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+alternate(objects))
	if err := (gitCall{dir: r.CommonDir, args: args, env: env, in: pack}).run(ctx); err != nil {
		return err
	}
	return migrate(dir, objects)
}

// migrate moves objects. Folders move whole where there is none of their name, with the mode that git has given them.
func migrate(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return rank(a.Name()) - rank(b.Name()) })
	for _, e := range entries {
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if _, err := os.Lstat(target); e.IsDir() && err == nil {
			if err := migrate(source, target); err != nil {
				return err
			}
			continue
		}
		err := os.Rename(source, target)
		if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) { // somebody has just made it
			err = migrate(source, target)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rank puts a pack's index behind what it leads to: by it git finds the pack.
func rank(name string) int {
	if strings.HasSuffix(name, ".idx") {
		return 1
	}
	return 0
}
