package repo

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

//go:embed inside.sh
var insideScript string

// insideLimit bounds what is asked of a container while somebody waits: it may answer for ever, a byte at a time.
const insideLimit = 2 * time.Minute

// ErrInsideLimit says that the container took too long.
var ErrInsideLimit = fmt.Errorf("the container has not answered within %s", insideLimit)

// limited is src with [insideLimit] on each script.
type limited struct{ src Source }

func (l limited) Output(ctx context.Context, script string, stdin io.Reader, stdout io.Writer, stderr func(line string)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, insideLimit, ErrInsideLimit)
	defer cancel()
	err := l.src.Output(ctx, script, stdin, stdout, stderr)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// DiffInside compares a commit with the files as they are inside, new ones included and ignored ones not. What is staged inside stays as it is.
func (r *Repo) DiffInside(ctx context.Context, src Source, workspace, from string, o DiffOptions) (Diff, error) {
	if !r.ValidCommit(from) {
		return Diff{}, fmt.Errorf("compare %.70q: not the name of a commit", from)
	}
	src = limited{src}
	tree, err := answerInside(ctx, src, fmt.Sprintf("workspace=%s\n%s", quote(workspace), insideScript))
	if err != nil {
		return Diff{}, fmt.Errorf("read files inside: %w", err)
	}
	if !r.ValidCommit(tree) {
		return Diff{}, fmt.Errorf("read files inside: %w: tree %.70q", errDiff, tree)
	}
	run := func(ctx context.Context, out io.Writer, args ...string) error {
		var words strings.Builder
		for _, word := range append(append([]string{"git", "-C", workspace}, diffTree()...), args...) {
			words.WriteString(" " + quote(word))
		}
		var last lastLines
		err := src.Output(ctx, "unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE; LC_ALL=C; export LC_ALL; exec"+words.String(), nil, out,
			func(line string) { last.add(oneLine(line)) })
		if err != nil {
			return fmt.Errorf("%w%s", err, last.said())
		}
		return nil
	}
	d, err := diff(ctx, run, from, tree, o)
	if err != nil {
		return Diff{}, fmt.Errorf("compare files inside: %w", err)
	}
	return d, nil
}

// answerInside runs a script that answers by one short line.
func answerInside(ctx context.Context, src Source, script string) (string, error) {
	out := &head{limit: 1 << 10}
	var last lastLines
	if err := src.Output(ctx, script, nil, out, func(line string) { last.add(oneLine(line)) }); err != nil {
		return "", fmt.Errorf("%w%s", err, last.said())
	}
	return strings.TrimSpace(out.String()), nil
}

// File is one version of a file.
type File struct {
	Exists  bool
	Binary  bool   // it is not text
	Content string // of text: UTF-8
}

const maxFile = 8 << 20 // bytes of a file that is handed out

// ErrFileTooBig says that a file has more than can be shown.
var ErrFileTooBig = fmt.Errorf("the file has more than %d MiB", maxFile>>20)

// text makes a File of content: what has a zero byte or is not UTF-8 is binary.
func text(content []byte) File {
	if !utf8.Valid(content) || strings.ContainsRune(string(content), 0) {
		return File{Exists: true, Binary: true}
	}
	return File{Exists: true, Content: string(content)}
}

// File returns a file as it is in a commit of the host's repository. A symbolic link's content is where it leads.
func (r *Repo) File(ctx context.Context, commit, path string) (File, error) {
	if err := ValidPath(path); err != nil {
		return File{}, err
	}
	entry, err := git(ctx, r.Root, "--literal-pathspecs", "ls-tree", "--full-tree", "-l", "-z", commit, "--", path)
	if err != nil {
		return File{}, err
	}
	fields := strings.Fields(strings.SplitN(entry, "\t", 2)[0]) // mode, kind, name, size
	if len(fields) != 4 || fields[1] != "blob" {
		return File{}, nil // a folder or a submodule, or nothing
	}
	out := &head{limit: maxFile}
	err = gitCall{dir: r.Root, args: []string{"cat-file", "blob", fields[2]}, out: out}.run(ctx)
	if out.over {
		return File{}, fmt.Errorf("read %s: %w", path, ErrFileTooBig)
	}
	if err != nil {
		return File{}, err
	}
	return text(out.Bytes()), nil
}

// fileScript writes one byte that says what there is, and then it.
const fileScript = `set -eu
cd -- "$workspace"
if [ -L "$path" ]; then printf f; exec readlink -n -- "$path"; fi
if [ -f "$path" ]; then printf f; exec cat -- "$path"; fi
printf n
`

// FileInside returns a file as it is inside.
func FileInside(ctx context.Context, src Source, workspace, path string) (File, error) {
	if err := ValidPath(path); err != nil {
		return File{}, err
	}
	out := &head{limit: maxFile}
	var last lastLines
	script := fmt.Sprintf("workspace=%s\npath=%s\n%s", quote(workspace), quote("./"+path), fileScript)
	err := limited{src}.Output(ctx, script, nil, out, func(line string) { last.add(oneLine(line)) })
	switch {
	case out.over:
		return File{}, fmt.Errorf("read %s inside: %w", path, ErrFileTooBig)
	case err != nil:
		return File{}, fmt.Errorf("read %s inside: %w%s", path, err, last.said())
	case out.Len() == 0 || out.Bytes()[0] != 'f':
		return File{}, nil
	}
	return text(out.Bytes()[1:]), nil
}
