package container

import (
	"archive/tar"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
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

// readIgnore reads the ignore file of src. The repository's own .git is left out unless the file says "!.git": every
// commit, and every git status, changes it, and would rebuild the image.
func readIgnore(src source) (*patternmatcher.PatternMatcher, error) {
	patterns := []string{".git"}
	for _, name := range src.ignore {
		data, err := readBounded(filepath.Join(src.dir, name), maxDockerfile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		m, err := parseIgnore(data, patterns)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		return m, nil
	}
	return patternmatcher.New(patterns)
}

func parseIgnore(data []byte, defaults []string) (*patternmatcher.PatternMatcher, error) {
	patterns, err := ignorefile.ReadAll(strings.NewReader(string(data)))
	if err != nil {
		return nil, err
	}
	return patternmatcher.New(slices.Concat(defaults, patterns))
}

// contextWalk collects the entries of a context.
type contextWalk struct {
	src      source
	excluded *patternmatcher.PatternMatcher
	limit    int64
	total    int64
	sizes    map[string]int64 // of the first path elements, for the error
	entries  []contextEntry
}

func (w *contextWalk) only(name string) error {
	info, err := os.Stat(filepath.Join(w.src.dir, name))
	if err != nil {
		return err
	}
	w.entries = append(w.entries, contextEntry{path: name, info: info})
	return nil
}

func (w *contextWalk) visit(path string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(w.src.dir, path)
	if err != nil || rel == "." {
		return err
	}
	rel = filepath.ToSlash(rel)
	skip, err := w.skips(rel, d.IsDir())
	if err != nil || skip {
		return err
	}
	return w.add(path, rel, d)
}

// skips tells whether rel is excluded. A folder that is excluded is not entered, unless a later "!" pattern may bring
// something in it back.
func (w *contextWalk) skips(rel string, dir bool) (bool, error) {
	if rel == w.src.dockerfile {
		return false, nil
	}
	excluded, err := w.excluded.MatchesOrParentMatches(rel)
	if err != nil || !excluded {
		return false, err
	}
	if dir && !w.mayReinclude(rel) {
		return true, filepath.SkipDir
	}
	return true, nil
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
func (w *contextWalk) add(path, rel string, d fs.DirEntry) error {
	info, err := d.Info()
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
		if entry.target, err = os.Readlink(path); err != nil {
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
		ErrTooBig, w.limit>>20, maxContextFiles, w.src.ignore[len(w.src.ignore)-1], largest, w.sizes[largest]>>20)
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
