package gitwatch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLooked is how many branches are looked at: the ones committed to last. Each costs a git process when something has moved.
const maxLooked = 2 * MaxOthers

// others finds the branches that have commits of their own: what came with the repository, or was fetched, has a remote's name too.
func (w *Watcher) others(ctx context.Context, s State) (list []Other, more bool) {
	out, err := w.git(ctx, "for-each-ref", "--sort=-committerdate", fmt.Sprint("--count=", maxLooked+1), "--format=%(objectname) %(refname)", "refs/heads")
	if err != nil || out == "" {
		return nil, false
	}
	lines := strings.Split(out, "\n")
	if more = len(lines) > maxLooked; more {
		lines = lines[:maxLooked]
	}
	for _, line := range lines {
		commit, ref, _ := strings.Cut(line, " ")
		o := Other{Name: strings.TrimPrefix(ref, "refs/heads/"), Commit: commit}
		if o.Name == s.Branch || !commitName.MatchString(commit) || !w.own(ctx, commit, s.Commit) {
			continue
		}
		if len(list) == MaxOthers || !validOther(o.Name) {
			more = true
			continue
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Other) int { return strings.Compare(a.Name, b.Name) })
	return list, more
}

// own reports whether a commit, or one before it, is neither the work's nor of a remote or a tag.
func (w *Watcher) own(ctx context.Context, commit, work string) bool {
	args := []string{"rev-list", "--max-count=1", commit, "--not", "--remotes", "--tags", "--glob=refs/sketch"}
	if work != "" {
		args = append(args, work)
	}
	out, err := w.git(ctx, append(args, "--")...)
	return err == nil && out != ""
}

// detached returns the commit of a detached HEAD that no branch has. A rebase makes such commits on its way.
func (w *Watcher) detached(ctx context.Context) string {
	for _, name := range []string{"rebase-merge", "rebase-apply"} {
		path, err := w.git(ctx, "rev-parse", "--git-path", name)
		if err != nil {
			return "" // there is no repository
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(w.cfg.Dir, path)
		}
		if _, err := os.Stat(path); err == nil {
			return ""
		}
	}
	out, err := w.git(ctx, "rev-list", "--max-count=1", "HEAD", "--not", "--branches", "--remotes", "--tags", "--glob=refs/sketch", "--")
	if err != nil || !commitName.MatchString(out) {
		return ""
	}
	return out
}
