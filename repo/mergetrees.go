package repo

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxConflicts = 1000 // paths that are named
	maxPicks     = 1000
)

// mergeTrees merges two commits since base (empty: since where they parted) without touching anything, and returns the tree, or the paths that conflict.
func (p *mergePlan) mergeTrees(ctx context.Context, ours, theirs, base string) (tree string, conflicts []string, err error) {
	if !p.r.foresees {
		return p.mergeApart(ctx, ours, theirs, base)
	}
	if base != "" {
		if ours, theirs, err = p.since(ctx, ours, theirs, base); err != nil {
			return "", nil, err
		}
	}
	out := &head{limit: maxOutput}
	call := p.call("merge-tree", "--write-tree", "--name-only", "--no-messages", "--allow-unrelated-histories", "-z", ours, theirs)
	call.out = out
	err = call.run(ctx)
	exit, ended := errors.AsType[*exec.ExitError](err)
	if err != nil && (!ended || exit.ExitCode() != 1) { // 1: there are conflicts
		return "", nil, err
	}
	tree, rest, _ := strings.Cut(out.String(), "\x00")
	if !p.r.ValidCommit(tree) {
		return "", nil, fmt.Errorf("%w: merge-tree answered %.80q", errDiff, tree)
	}
	if err == nil {
		return tree, nil, nil
	}
	return "", paths(rest), nil
}

// paths splits a list that git has ended with zero bytes; the empty one is its end.
func paths(list string) []string {
	var found []string
	for path := range strings.SplitSeq(list, "\x00") {
		if path == "" || len(found) >= maxConflicts {
			break
		}
		if path = strings.ToValidUTF8(path, "\uFFFD"); !slices.Contains(found[max(0, len(found)-3):], path) {
			found = append(found, path)
		}
	}
	return found
}

// since makes two commits that parted at base, which git 2.38 and 2.39 cannot be told otherwise.
func (p *mergePlan) since(ctx context.Context, ours, theirs, base string) (string, string, error) {
	root, err := p.stand(ctx, base)
	if err != nil {
		return "", "", err
	}
	left, err := p.stand(ctx, ours, "-p", root)
	if err != nil {
		return "", "", err
	}
	right, err := p.stand(ctx, theirs, "-p", root)
	return left, right, err
}

// stand makes a commit with the files of another, which never leaves the quarantine.
func (p *mergePlan) stand(ctx context.Context, of string, parents ...string) (string, error) {
	call := p.call(append([]string{"commit-tree", of + "^{tree}", "-m", "stand-in"}, parents...)...)
	call.env = append(call.env, "GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x")
	return call.answer(ctx, 1<<10)
}

// mergeApart is for git before 2.38, which cannot merge beside the working tree: it merges where the two sides have changed different files, and calls the
// others conflicts although some may not be.
func (p *mergePlan) mergeApart(ctx context.Context, ours, theirs, base string) (tree string, conflicts []string, err error) {
	if base == "" {
		if base, err = git(ctx, p.r.Root, "merge-base", ours, theirs); err != nil {
			return "", nil, err
		}
	}
	changed := map[string]bool{}
	for i, side := range []string{ours, theirs} {
		out, err := p.call("diff-tree", "-r", "--no-renames", "--name-only", "-z", base, side).answer(ctx, maxOutput)
		if err != nil {
			return "", nil, err
		}
		for path := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
			if i == 0 {
				changed[path] = true
			} else if changed[path] && path != "" && len(conflicts) < maxConflicts {
				conflicts = append(conflicts, strings.ToValidUTF8(path, "\uFFFD"))
			}
		}
	}
	if len(conflicts) > 0 {
		return "", conflicts, nil
	}
	index := "GIT_INDEX_FILE=" + filepath.Join(p.q.dir, "index")
	read := p.call("read-tree", "-i", "-m", "--aggressive", base, ours, theirs)
	read.env = append(read.env, index)
	if err := read.run(ctx); err != nil {
		return "", nil, err
	}
	write := p.call("write-tree")
	write.env = append(write.env, index)
	tree, err = write.answer(ctx, 1<<10)
	if said(err, "unmerged") { // a file here, a folder of that name there
		return "", []string{"(files and folders of the same name)"}, nil
	}
	return tree, nil, err
}

// pick makes each of the branch's commits anew on top of what is checked out, but for merges and those that are there already.
func (p *mergePlan) pick(ctx context.Context, result *Merged) (string, error) {
	out, err := git(ctx, p.r.Root, "rev-list", "--reverse", "--topo-order", "--no-merges", "--cherry-pick", "--right-only",
		fmt.Sprint("--max-count=", maxPicks+1), p.head+"..."+p.Tip, "--")
	if err != nil {
		return "", err
	}
	commits := strings.Fields(out)
	if len(commits) > maxPicks {
		return "", fmt.Errorf("%w: more than %d", ErrTooMany, maxPicks)
	}
	result.Commits = 0
	at := p.head
	for _, commit := range commits {
		next, conflicts, err := p.pickOne(ctx, at, commit)
		if err != nil {
			return "", err
		}
		if len(conflicts) > 0 {
			result.Conflicts, result.Commits = conflicts, len(commits)
			return "", nil
		}
		if next != at {
			result.Commits++
		}
		at = next
	}
	return at, nil
}

// pickOne makes the change of one commit on top of at; nothing when it changes nothing there.
func (p *mergePlan) pickOne(ctx context.Context, at, commit string) (string, []string, error) {
	parent, err := git(ctx, p.r.Root, "rev-parse", "--verify", "--quiet", commit+"^")
	if err != nil {
		return "", nil, fmt.Errorf("commit %.12s has no parent: %w", commit, err)
	}
	tree, conflicts, err := p.mergeTrees(ctx, at, commit, parent)
	if err != nil || len(conflicts) > 0 {
		return "", conflicts, err
	}
	now, err := p.call("rev-parse", at+"^{tree}").answer(ctx, 1<<10)
	if err != nil || now == tree {
		return at, nil, err
	}
	about, err := git(ctx, p.r.Root, "log", "-1", "--no-show-signature", "--date=raw", "--format=%an%x00%ae%x00%ad%x00%B", commit, "--")
	if err != nil {
		return "", nil, err
	}
	fields := strings.SplitN(about, "\x00", 4)
	if len(fields) != 4 {
		return "", nil, fmt.Errorf("read commit %.12s: %w", commit, errDiff)
	}
	author := []string{"GIT_AUTHOR_NAME=" + fields[0], "GIT_AUTHOR_EMAIL=" + fields[1], "GIT_AUTHOR_DATE=@" + fields[2]}
	made, err := p.commit(ctx, tree, fields[3], author, "-p", at)
	return made, nil, err
}
