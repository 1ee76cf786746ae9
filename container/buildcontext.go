package container

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

const (
	defaultMaxContext = 1 << 30
	maxContextFiles   = 500_000
)

// buildContext is the list of what the builder gets to see, in lexical order. Contents are read when it is hashed and
// again when it is sent.
type buildContext struct {
	root    *os.Root
	dir     string // relative to root
	entries []contextEntry
}

type contextEntry struct {
	path   string // slash-separated, relative to the context
	info   fs.FileInfo
	target string // of a symbolic link
	data   []byte // of the Dockerfile
}

// size is what is sent of a regular file.
func (entry contextEntry) size() int64 {
	if entry.data != nil {
		return int64(len(entry.data))
	}
	return entry.info.Size()
}

// readBuildContext lists the context of src, less what its ignore file excludes, and less .git at any depth. The
// Dockerfile itself is always in it. Symbolic links are sent as such and not followed.
func readBuildContext(src source, limit int64) (buildContext, error) {
	if limit <= 0 {
		limit = defaultMaxContext
	}
	excluded, err := readIgnore(src)
	if err != nil {
		return buildContext{}, err
	}
	w := contextWalk{src: src, excluded: excluded, limit: limit, sizes: map[string]int64{}}
	if !src.parsed.context {
		err = w.dockerfile()
	} else {
		err = w.folder("")
		if err == nil && !slices.ContainsFunc(w.entries, func(entry contextEntry) bool { return entry.path == src.dockerfile }) {
			err = w.dockerfile() // it lies outside
		}
	}
	if errors.Is(err, ErrTooBig) {
		return buildContext{}, fmt.Errorf("read build context of %s: %w", src.name, err)
	}
	if err != nil {
		return buildContext{}, unreadable(src.name, pathOf(err, src.dir), err)
	}
	return buildContext{root: src.root, dir: src.dir, entries: w.entries}, nil
}

// pathOf is the path that err is about.
func pathOf(err error, byDefault string) string {
	if call, ok := errors.AsType[*fs.PathError](err); ok {
		return call.Path
	}
	return byDefault
}

// writeTo writes the context as the builder takes it. Owners are root's, as the docker command makes them.
func (c buildContext) writeTo(w io.Writer) error {
	out := tar.NewWriter(w)
	for _, entry := range c.entries {
		if err := c.writeEntry(out, entry); err != nil {
			return fmt.Errorf("send %s: %w", printable(entry.path), err)
		}
	}
	return out.Close()
}

func (c buildContext) writeEntry(out *tar.Writer, entry contextEntry) error {
	header, err := tar.FileInfoHeader(entry.info, entry.target)
	if err != nil {
		return err
	}
	header.Name = entry.path
	if entry.info.IsDir() {
		header.Name += "/"
	}
	header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "", ""
	header.Format = tar.FormatPAX
	if entry.info.Mode().IsRegular() {
		header.Size = entry.size()
	}
	if err := out.WriteHeader(header); err != nil || !entry.info.Mode().IsRegular() {
		return err
	}
	return c.copyFile(out, entry)
}

// copyFile copies exactly the bytes of which the entry tells: a file that shrank meanwhile is an error, one that grew
// is cut.
func (c buildContext) copyFile(w io.Writer, entry contextEntry) error {
	if entry.data != nil {
		_, err := w.Write(entry.data)
		return err
	}
	f, err := openRegular(c.root.Stat, c.root.OpenFile, filepath.Join(c.dir, filepath.FromSlash(entry.path)))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyN(w, f, entry.size())
	if errors.Is(err, io.EOF) {
		return errors.New("changed while it was read")
	}
	return err
}
