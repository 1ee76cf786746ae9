package repo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// BranchPrefix is the part of a branch's short name that makes it one of ours.
const BranchPrefix = "sketch/"

// The refs of a session beside its branch. They remember, whatever becomes of the state directory, and keep objects from being pruned.
//
//	refs/sketch/<session>/base    where the work started
//	refs/sketch/<session>/tip     the latest commit that was brought out
//	refs/sketch/<session>/branch  where the branch was put last: it may be moved from there and from nowhere else
//
// The same, below refs/sketch/<session>/also/<key>/, for each further branch.
func refsOf(session string) string { return "refs/sketch/" + session }

// Aside is what a [Pull] has for a Session when it brings out another branch than the session's own, which inside has any name.
func Aside(session, inside string) string {
	key := sha256.Sum256([]byte(inside))
	return fmt.Sprintf("%s/also/%x", session, key[:8])
}

const (
	maxWorkPart  = 56 // bytes of a further branch's name that are the work's
	maxAsidePart = 32 // and its own
)

// AsideName is what a branch of any name inside is called on the host: the work's name and, behind two dashes, what of its own can do no harm.
func AsideName(work, inside string) string {
	work = strings.TrimPrefix(work, BranchPrefix)
	part := strings.Map(func(c rune) rune {
		if notInSlug(c) || c == '.' {
			return '-'
		}
		return c
	}, strings.TrimPrefix(inside, BranchPrefix))
	part = strings.Trim(part[:min(len(part), maxAsidePart)], "-")
	return BranchPrefix + work[:min(len(work), maxWorkPart)] + "--" + cmp.Or(part, "branch")
}

// maxNames is how many names are tried for a branch.
const maxNames = 100

// place makes the commit p.Tip, which is among the objects, a branch.
func (r *Repo) place(ctx context.Context, p Pull) (string, error) {
	refs, err := r.refs(ctx, refsOf(p.Session), "refs/heads/"+strings.TrimSuffix(BranchPrefix, "/"))
	if err != nil {
		return "", err
	}
	trees, err := r.checkedOut(ctx)
	if err != nil {
		return "", err
	}
	for _, name := range names(p) {
		ref := "refs/heads/" + name
		here, last := refs[ref], refs[refsOf(p.Session)+"/branch"]
		if here != "" && here != last && here != p.Tip {
			continue // somebody else's commits, or one that its owner has moved
		}
		if path, out := trees[name]; out && here != p.Tip {
			keep := refsOf(p.Session) + "/tip"
			if err := r.updateRefs(ctx, p, refs, keep, refsOf(p.Session)+"/base"); err != nil {
				return "", err
			}
			return name, &CheckedOutError{Branch: name, Path: path, Ref: keep}
		}
		return name, r.updateRefs(ctx, p, refs, ref, refsOf(p.Session)+"/branch", refsOf(p.Session)+"/tip", refsOf(p.Session)+"/base")
	}
	return "", fmt.Errorf("make branch %s: %w", p.Wish, ErrBranchTaken)
}

// names are what the branch may be called, best first.
func names(p Pull) []string {
	list := make([]string, 0, maxNames)
	if p.Now != "" && (p.Now == p.Wish || strings.HasPrefix(p.Now, p.Wish+"-")) {
		list = append(list, p.Now)
	}
	list = append(list, p.Wish)
	for n := 2; n < maxNames; n++ {
		list = append(list, fmt.Sprintf("%s-%d", p.Wish, n))
	}
	return list
}

// updateRefs sets all the refs, or none when one of them is not as it was read.
func (r *Repo) updateRefs(ctx context.Context, p Pull, now map[string]string, names ...string) error {
	var b strings.Builder
	for _, name := range names {
		value := p.Tip
		if strings.HasSuffix(name, "/base") {
			value = p.Base
		}
		if now[name] != value {
			old := now[name]
			if old == "" {
				old = strings.Repeat("0", len(value)) // it must not exist
			}
			fmt.Fprintf(&b, "option no-deref\nupdate %s %s %s\n", name, value, old)
		}
	}
	call := gitCall{dir: r.CommonDir, args: []string{"--git-dir=.", "update-ref", "-m", "sketch-ide: from " + p.Session, "--stdin"}, in: strings.NewReader(b.String())}
	if err := call.run(ctx); err != nil {
		return fmt.Errorf("write branch: %w", err)
	}
	return nil
}

// refs reads the refs at and below prefixes: name to commit.
func (r *Repo) refs(ctx context.Context, prefixes ...string) (map[string]string, error) {
	out, err := git(ctx, r.Root, append([]string{"for-each-ref", "--format=%(objectname) %(refname)"}, prefixes...)...)
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		id, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		refs[name] = id
	}
	return refs, nil
}

// checkedOut says which branches are checked out, and where: in the main working tree, in linked ones, and in those that are being rebased.
func (r *Repo) checkedOut(ctx context.Context) (map[string]string, error) {
	out, err := git(ctx, r.Root, "worktree", "list", "--porcelain")
	if err != nil {
		return nil, err
	}
	trees := map[string]string{}
	var path string
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "worktree":
			path = value
		case "branch":
			trees[strings.TrimPrefix(value, "refs/heads/")] = path
		}
	}
	for name := range r.rebased() {
		if trees[name] == "" {
			trees[name] = "a rebase"
		}
	}
	return trees, nil
}

// rebased are the branches that a rebase, in any working tree, will put elsewhere at its end.
func (r *Repo) rebased() map[string]bool {
	dirs := []string{r.CommonDir}
	if linked, err := os.ReadDir(filepath.Join(r.CommonDir, "worktrees")); err == nil {
		for _, entry := range linked {
			dirs = append(dirs, filepath.Join(r.CommonDir, "worktrees", entry.Name()))
		}
	}
	branches := map[string]bool{}
	for _, dir := range dirs {
		for _, file := range []string{"rebase-merge/head-name", "rebase-apply/head-name"} {
			if name, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
				branches[strings.TrimPrefix(strings.TrimSpace(string(name)), "refs/heads/")] = true
			}
		}
	}
	return branches
}

// FreeBranch returns the wished branch's name, or one made of it that neither the repository has nor taken knows.
func (r *Repo) FreeBranch(ctx context.Context, wish string, taken func(string) bool) (string, error) {
	if err := ValidSlug(strings.TrimPrefix(wish, BranchPrefix)); err != nil {
		return "", err
	}
	refs, err := r.refs(ctx, "refs/heads/"+strings.TrimSuffix(BranchPrefix, "/"))
	if err != nil {
		return "", err
	}
	for _, name := range names(Pull{Wish: wish}) {
		if refs["refs/heads/"+name] == "" && !taken(name) {
			return name, nil
		}
	}
	return "", fmt.Errorf("make branch %s: %w", wish, ErrBranchTaken)
}

// Keep makes the ref that keeps a session's base from being pruned, whatever becomes of the branch that it was on.
func (r *Repo) Keep(ctx context.Context, session, base string) error {
	if !r.ValidCommit(base) {
		return fmt.Errorf("keep commit %.70q: not the name of a commit", base)
	}
	_, err := git(ctx, r.Root, "update-ref", "--no-deref", "-m", "sketch-ide: base of "+session, refsOf(session)+"/base", base)
	return err
}
