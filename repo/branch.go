package repo

import (
	"cmp"
	"context"
	"strconv"
	"strings"
)

// Work is what a session's branch amounts to, seen from the host.
type Work struct {
	Commit  string // what the branch is at; empty when it is not there
	Subject string // first line of its message
	Ahead   int    // commits since the base
	Behind  int    // commits that the base's branch has got since

	BaseCommit string // what that branch is at; empty when it is gone
}

// maxSubject bounds the first line of a commit's message.
const maxSubject = 200

// Work looks at a branch. Base is the commit that the work started from, and baseBranch the branch that was checked out then; it may be gone.
func (r *Repo) Work(ctx context.Context, branch, base, baseBranch string) (Work, error) {
	var w Work
	refs, err := r.refs(ctx, "refs/heads/"+branch, "refs/heads/"+cmp.Or(baseBranch, branch))
	if err != nil {
		return w, err
	}
	if now := refs["refs/heads/"+baseBranch]; baseBranch != "" && now != "" {
		w.BaseCommit = now
		if w.Behind, err = r.Count(ctx, base, now); err != nil {
			return w, err
		}
	}
	if w.Commit = refs["refs/heads/"+branch]; w.Commit == "" {
		return w, nil
	}
	if w.Ahead, err = r.Count(ctx, base, w.Commit); err != nil {
		return w, err
	}
	subject, err := git(ctx, r.Root, "log", "-1", "--no-show-signature", "--format=%s", w.Commit, "--")
	w.Subject = clip(oneLine(subject), maxSubject)
	return w, err
}

// Count is the number of commits that to has and from has not.
func (r *Repo) Count(ctx context.Context, from, to string) (int, error) {
	if from == to {
		return 0, nil
	}
	out, err := git(ctx, r.Root, "rev-list", "--count", to, "^"+from, "--")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(out))
}

// clip shortens s to at most limit bytes, at the end of a character.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// Latest is a session's latest commit on the host: its branch's, or one that waits while that is checked out. Empty when nothing was brought out.
func (r *Repo) Latest(ctx context.Context, session, branch string) (string, error) {
	refs, err := r.refs(ctx, refsOf(session), "refs/heads/"+branch)
	if err != nil {
		return "", err
	}
	tip, here := refs[refsOf(session)+"/tip"], refs["refs/heads/"+branch]
	if tip == "" || here == "" {
		return tip, nil
	}
	_, err = git(ctx, r.Root, "merge-base", "--is-ancestor", here, tip)
	switch {
	case err == nil:
		return tip, nil
	case declined(err):
		return here, nil // its owner has gone on with it
	}
	return "", err
}
