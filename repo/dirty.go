package repo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

//go:embed dirty.sh
var dirtyScript string

// ErrUnmerged says that the working tree has conflicts, which no commit can hold.
var ErrUnmerged = errors.New("there are conflicts that are not resolved yet")

// maxDirty is how much of changes comes along, packed.
const maxDirty = 1 << 30

// CarryUncommitted puts what is not committed on the host into the repository inside, after [Repo.Checkout]: what is staged is staged there, what is changed is changed,
// and files that git does not know are there, but for ignored ones. The host's repository is not written: its index is worked on as a copy, and new objects are made
// beside it.
func (r *Repo) CarryUncommitted(ctx context.Context, run Runner, workspace string) error {
	q, err := r.newQuarantine()
	if err != nil {
		return err
	}
	defer q.remove()
	index, files, err := r.snapshot(ctx, q)
	if err != nil {
		return fmt.Errorf("take changes along: %w", err)
	}
	reader, writer := io.Pipe()
	packed := make(chan error, 1)
	call := r.dirtyCall(q, "pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset")
	call.in, call.out = revisions(files, []string{r.Head}), &bounded{w: writer, left: maxDirty}
	// Ends with git, which ends with ctx or when nobody reads; waited for below.
	go func() {
		err := call.run(ctx)
		writer.CloseWithError(err)
		packed <- err
	}()
	var last lastLines
	script := fmt.Sprintf("workspace=%s\nindex=%s\nfiles=%s\n%s", quote(workspace), index, files, dirtyScript)
	err = run.Run(ctx, script, reader, func(line string) { last.add(oneLine(line)) })
	reader.CloseWithError(errStopped)
	if perr := <-packed; errors.Is(perr, ErrTooBig) || err == nil && perr != nil {
		return fmt.Errorf("take changes along: %w", perr)
	}
	if err != nil {
		return fmt.Errorf("take changes along: %w%s", err, last.said())
	}
	return nil
}

// snapshot makes two commits of the working tree: the index as it is, and on top of it the files as they are.
func (r *Repo) snapshot(ctx context.Context, q *quarantine) (index, files string, err error) {
	copied := filepath.Join(q.dir, "index")
	content, err := os.ReadFile(filepath.Join(r.Dir, "index"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", "", err
	}
	if err == nil {
		if err := os.WriteFile(copied, content, 0o600); err != nil {
			return "", "", err
		}
	}
	if index, err = r.commitIndex(ctx, q, r.Head); err != nil {
		return "", "", err
	}
	if err := r.dirtyCall(q, "add", "-A", "--", ":/").run(ctx); err != nil {
		return "", "", err
	}
	files, err = r.commitIndex(ctx, q, index)
	return index, files, err
}

func (r *Repo) commitIndex(ctx context.Context, q *quarantine, parent string) (string, error) {
	tree, err := r.dirtyCall(q, "write-tree").answer(ctx, 1<<10)
	if said(err, "unmerged") {
		return "", ErrUnmerged
	}
	if err != nil {
		return "", err
	}
	return r.dirtyCall(q, "commit-tree", tree, "-p", parent, "-m", "uncommitted").answer(ctx, 1<<10)
}

// dirtyCall prepares git in the user's working tree, with a copy of the index and a place beside the objects. Git LFS would keep files of its own in
// the repository, so that its filter has no part in it.
func (r *Repo) dirtyCall(q *quarantine, args ...string) gitCall {
	options := []string{
		"-c", "core.splitIndex=false", "-c", "advice.addEmbeddedRepo=false", "-c", "core.safecrlf=false",
		"-c", "filter.lfs.clean=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false",
	}
	return gitCall{dir: r.Root, args: append(options, args...), env: environment(
		"GIT_INDEX_FILE="+filepath.Join(q.dir, "index"), "GIT_OBJECT_DIRECTORY="+filepath.Join(q.dir, "objects"),
		"GIT_AUTHOR_NAME="+defaultName, "GIT_AUTHOR_EMAIL="+defaultEmail, "GIT_COMMITTER_NAME="+defaultName, "GIT_COMMITTER_EMAIL="+defaultEmail)}
}

// Dirty reports whether the working tree has anything that is in no commit; false also when it is too large to tell in time.
func (r *Repo) Dirty(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, statusLimit)
	defer cancel()
	out, err := git(ctx, r.Root, "status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=dirty")
	return err == nil && strings.TrimSpace(out) != ""
}
