package container

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	defaultMaxContext = 1 << 30
	maxContextFiles   = 500_000
)

// buildContext is the list of what the builder gets to see, in lexical order. Contents are read when it is hashed and
// again when it is sent.
type buildContext struct {
	dir     string
	entries []contextEntry
}

type contextEntry struct {
	path   string // slash-separated, relative
	info   fs.FileInfo
	target string // of a symbolic link
}

// readBuildContext lists the context of src, less what its ignore file excludes. The Dockerfile itself is always in it.
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
		err = w.only(src.dockerfile)
	} else {
		err = filepath.WalkDir(src.dir, w.visit)
	}
	if err != nil {
		return buildContext{}, fmt.Errorf("read build context of %s: %w", src.name, err)
	}
	return buildContext{dir: src.dir, entries: w.entries}, nil
}

// writeTo writes the context as the builder takes it. Owners are root's, as the docker command makes them.
func (c buildContext) writeTo(w io.Writer) error {
	out := tar.NewWriter(w)
	for _, entry := range c.entries {
		if err := c.writeEntry(out, entry); err != nil {
			return fmt.Errorf("send %s: %w", entry.path, err)
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
	if err := out.WriteHeader(header); err != nil || !entry.info.Mode().IsRegular() {
		return err
	}
	return copyFile(out, filepath.Join(c.dir, filepath.FromSlash(entry.path)), header.Size)
}

// copyFile copies exactly size bytes: a file that shrank meanwhile is an error, one that grew is cut.
func copyFile(w io.Writer, path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyN(w, f, size)
	if errors.Is(err, io.EOF) {
		return errors.New("changed while it was read")
	}
	return err
}
