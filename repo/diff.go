package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
)

// Limits of a diff, which is for people: a larger one is cut, and said to be.
const (
	maxDiffFiles = 5000
	maxDiffList  = 8 << 20 // bytes of git's list of files
	maxDiffBytes = 4 << 20 // of hunks, for all files
	maxDiffLine  = 8 << 10 // of one line
	maxContext   = 1000    // lines
)

// DiffOptions say which part of a diff is wanted.
type DiffOptions struct {
	Path    string // only this file, with slashes; empty: all
	Context int    // lines around a change; 0: three; -1: no hunks
}

// Diff is what differs between two states of a repository.
type Diff struct {
	Files     []FileDiff // sorted by path
	Truncated bool       // there is more
}

// FileStatus is how a file differs.
type FileStatus byte

// The statuses, by git's letters.
const (
	Added       FileStatus = 'A'
	Modified    FileStatus = 'M'
	Deleted     FileStatus = 'D'
	Renamed     FileStatus = 'R'
	TypeChanged FileStatus = 'T'
)

// FileDiff is one file that differs.
type FileDiff struct {
	Path, OldPath  string // OldPath only of a renamed file
	Status         FileStatus
	Binary         bool
	Added, Deleted int // lines
	Hunks          []Hunk
}

// Hunk is one place that differs.
type Hunk struct {
	OldStart, OldLines, NewStart, NewLines int
	Header                                 string   // the function or section
	Lines                                  []string // each with a first character ' ', '+', '-' or '\'
}

// ErrPath says that a path is not one of a file in a repository.
var ErrPath = errors.New("not a path of a file in the repository")

// ValidPath returns an error around [ErrPath] unless p is relative, clean, and below the repository's root.
func ValidPath(p string) error {
	if p == "" || p == "." || path.IsAbs(p) || path.Clean(p) != p || p == ".." || strings.HasPrefix(p, "../") || strings.ContainsRune(p, 0) {
		return fmt.Errorf("%.200q: %w", p, ErrPath)
	}
	return nil
}

// differ runs git diff-tree with these arguments, and writes its output.
type differ func(ctx context.Context, out io.Writer, args ...string) error

// Diff compares two commits of the host's repository.
func (r *Repo) Diff(ctx context.Context, from, to string, o DiffOptions) (Diff, error) {
	run := func(ctx context.Context, out io.Writer, args ...string) error {
		return gitCall{dir: r.Root, args: append(diffTree(), args...), out: out}.run(ctx)
	}
	d, err := diff(ctx, run, from, to, o)
	if err != nil {
		return Diff{}, fmt.Errorf("compare %.12s with %.12s: %w", from, to, err)
	}
	return d, nil
}

// diffTree is the command, made independent of what users configure for their eyes, and such that nothing is run.
func diffTree() []string {
	return []string{"-c", "diff.suppressBlankEmpty=false", "diff-tree", "-r", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--no-abbrev"}
}

func diff(ctx context.Context, run differ, from, to string, o DiffOptions) (Diff, error) {
	if o.Path != "" {
		if err := ValidPath(o.Path); err != nil {
			return Diff{}, err
		}
	}
	out := &head{limit: maxDiffList}
	if err := run(ctx, out, "--raw", "--numstat", "-z", from, to); err != nil && !out.over {
		return Diff{}, err
	}
	if out.over {
		return Diff{Truncated: true}, nil
	}
	d, err := parseDiffList(out.Bytes())
	if err != nil {
		return Diff{}, err
	}
	args := []string{}
	if o.Path != "" {
		d.Files = slices.DeleteFunc(d.Files, func(f FileDiff) bool { return f.Path != o.Path })
		for _, f := range d.Files {
			args = append(args, ":(literal,top)"+f.Path)
			if f.OldPath != "" {
				args = append(args, ":(literal,top)"+f.OldPath)
			}
		}
	}
	if len(d.Files) > 0 && o.Context >= 0 {
		err = d.addHunks(ctx, run, append([]string{fmt.Sprint("-U", min(cmp.Or(o.Context, 3), maxContext)), "-p", from, to, "--"}, args...))
	}
	slices.SortFunc(d.Files, func(a, b FileDiff) int { return strings.Compare(a.Path, b.Path) })
	if len(d.Files) > maxDiffFiles {
		d.Files, d.Truncated = d.Files[:maxDiffFiles], true
	}
	return d, err
}

// addHunks reads the patch, whose files are in the order of the list.
func (d *Diff) addHunks(ctx context.Context, run differ, args []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	reader, writer := io.Pipe()
	var running sync.WaitGroup
	var ran error
	// Ends with git, which ends with ctx or when the reader is closed; waited for below.
	running.Go(func() {
		ran = run(ctx, writer, args...)
		writer.CloseWithError(ran)
	})
	err := parsePatch(reader, d.Files)
	reader.CloseWithError(errStopped)
	if errors.Is(err, errTooLong) {
		d.Truncated = true
		err = nil
	} else if err == nil {
		running.Wait()
		return ran
	}
	cancel(errStopped)
	running.Wait()
	return err
}
