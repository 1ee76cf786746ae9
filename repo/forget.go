package repo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Forget removes the refs that remember a session. Its branches stay: they are the work. A tip stays too, and is returned, that never became a branch, since
// that was checked out, and that no branch or tag has.
func (r *Repo) Forget(ctx context.Context, session string) (kept string, err error) {
	refs, err := r.refs(ctx, refsOf(session))
	if err != nil || len(refs) == 0 {
		return "", err
	}
	for _, tip := range slices.Sorted(maps.Keys(refs)) {
		of, isTip := strings.CutSuffix(tip, "/tip")
		if !isTip || refs[tip] == refs[of+"/branch"] {
			continue
		}
		if elsewhere, err := r.holders(ctx, refs[tip]); err != nil || len(elsewhere) == 0 {
			kept = tip // also when that cannot be found out
			delete(refs, tip)
		}
	}
	return kept, r.deleteRefs(ctx, refs)
}

// DropBranch removes the session's branch, if it is as Pull has put it, is not checked out, and another branch that is none of ours has all of its commits:
// then its name is all that is lost. It is called before Forget. With dry it only looks.
func (r *Repo) DropBranch(ctx context.Context, session, branch string, dry bool) (bool, error) {
	if err := ValidSlug(strings.TrimPrefix(branch, BranchPrefix)); err != nil || !strings.HasPrefix(branch, BranchPrefix) {
		return false, err
	}
	refs, err := r.refs(ctx, refsOf(session)+"/branch", "refs/heads/"+branch)
	if err != nil {
		return false, err
	}
	commit := refs["refs/heads/"+branch]
	if commit == "" || commit != refs[refsOf(session)+"/branch"] {
		return false, nil
	}
	trees, err := r.checkedOut(ctx)
	if err != nil || trees[branch] != "" {
		return false, err
	}
	holders, err := r.holders(ctx, commit)
	merged := slices.ContainsFunc(holders, func(ref string) bool {
		return (strings.HasPrefix(ref, "refs/heads/") || strings.HasPrefix(ref, "refs/remotes/")) && !strings.HasPrefix(ref, "refs/heads/"+BranchPrefix)
	})
	if err != nil || !merged || dry {
		return merged, err
	}
	return true, r.deleteRefs(ctx, map[string]string{"refs/heads/" + branch: commit})
}

// maxHolders bounds a question whose answer is needed for its first lines only.
const maxHolders = 1000

// holders are branches, remote branches and tags that have a commit.
func (r *Repo) holders(ctx context.Context, commit string) ([]string, error) {
	out, err := git(ctx, r.Root, "for-each-ref", fmt.Sprint("--count=", maxHolders), "--contains="+commit, "--format=%(refname)", "refs/heads", "refs/remotes", "refs/tags")
	return strings.Fields(out), err
}

// deleteRefs deletes refs that are as they were read, or none.
func (r *Repo) deleteRefs(ctx context.Context, refs map[string]string) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		fmt.Fprintf(&b, "option no-deref\ndelete %s %s\n", name, refs[name])
	}
	return gitCall{dir: r.CommonDir, args: []string{"--git-dir=.", "update-ref", "--stdin"}, in: strings.NewReader(b.String())}.run(ctx)
}
