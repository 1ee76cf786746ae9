package container

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// File is a file, directory or symbolic link to be made in a container. Directories above it that are missing are
// made too, 0755 and root's; those that are there stay as they are.
type File struct {
	Path    string      // absolute, clean
	Mode    fs.FileMode // permissions, and fs.ModeDir for a directory
	UID     int
	GID     int
	Content []byte
	Load    func() ([]byte, error) // what Content is, when it is needed; nil: Content
	Target  string                 // of a symbolic link; Content and Mode are then ignored
}

// CopyIn makes files in a container. It is meant for one that does not run: in a running one, a process could turn a
// directory into a link under its hands.
func (e *Engine) CopyIn(ctx context.Context, id string, files []File) error {
	if len(files) == 0 {
		return nil
	}
	return e.copyIn(ctx, id, files, nil)
}

// copyIn is CopyIn, where dirs are known to be there.
func (e *Engine) copyIn(ctx context.Context, id string, files []File, dirs map[string]bool) error {
	parents, err := e.missingParents(ctx, id, files, dirs)
	if err != nil {
		return err
	}
	if files, err = load(files); err != nil {
		return err
	}
	archive, err := archiveOf(append(parents, files...), time.Now())
	if err != nil {
		return err
	}
	return wrap(ctx, "copy files into container", e.api.CopyToContainer(ctx, id, "/", archive, container.CopyToContainerOptions{}))
}

// missingParents asks the engine which directories are there: one in the archive would get the archive's mode, and
// one that is neither there nor in the archive would get the engine's, which differs from release to release.
func (e *Engine) missingParents(ctx context.Context, id string, files []File, dirs map[string]bool) ([]File, error) {
	known := map[string]bool{"/": true}
	maps.Copy(known, dirs)
	for _, f := range files {
		known[f.Path] = known[f.Path] || f.Mode.IsDir()
	}
	var missing []File
	for _, f := range files {
		for _, dir := range parentsOf(f.Path) {
			if known[dir] {
				continue
			}
			known[dir] = true
			_, err := e.api.ContainerStatPath(ctx, id, dir)
			err = wrap(ctx, "look at "+dir, err)
			if errors.Is(err, ErrNotFound) {
				missing = append(missing, File{Path: dir, Mode: fs.ModeDir | 0o755})
			} else if err != nil {
				return nil, err
			}
		}
	}
	return missing, nil
}

// parentsOf lists the directories above p, outermost first, without "/".
func parentsOf(p string) []string {
	var dirs []string
	for i := 1; i < len(p); i++ {
		if p[i] == '/' {
			dirs = append(dirs, p[:i])
		}
	}
	return dirs
}

func archiveOf(files []File, now time.Time) (*bytes.Buffer, error) {
	size := 4 << 10
	for _, f := range files {
		size += len(f.Content) + 4<<10
	}
	var buf bytes.Buffer
	buf.Grow(size)
	w := tar.NewWriter(&buf)
	for _, f := range files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" {
			return nil, fmt.Errorf("copy %q into container: path is not absolute and clean", f.Path)
		}
		if err := w.WriteHeader(f.header(now)); err != nil {
			return nil, fmt.Errorf("copy %s into container: %w", f.Path, err)
		}
		if f.Target != "" || f.Mode.IsDir() {
			continue
		}
		if _, err := w.Write(f.Content); err != nil {
			return nil, fmt.Errorf("copy %s into container: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("copy files into container: %w", err)
	}
	return &buf, nil
}

func (f File) header(now time.Time) *tar.Header {
	h := &tar.Header{
		Name: strings.TrimPrefix(f.Path, "/"), Mode: int64(f.Mode.Perm()), Uid: f.UID, Gid: f.GID,
		ModTime: now, Format: tar.FormatPAX,
	}
	switch {
	case f.Target != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.Target, 0o777
	case f.Mode.IsDir():
		h.Typeflag = tar.TypeDir
		h.Name += "/"
	default:
		h.Typeflag, h.Size = tar.TypeReg, int64(len(f.Content))
	}
	return h
}
