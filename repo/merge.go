package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// MergeHow is a way to take a session's work over.
type MergeHow int

// The ways.
const (
	MergeCommits MergeHow = iota // git merge, a fast-forward where possible
	CherryPick                   // each commit anew on top
	Squash                       // all in one commit
	ResetTo                      // the checked-out branch becomes the session's
)

// Merge says what is taken over into what is checked out on the host.
type Merge struct {
	How     MergeHow
	Branch  string // short name of the session's branch, for messages
	Tip     string // its commit
	Message string // of the commit that is made; empty: made from the branch
	DryRun  bool   // only predict
}

// Merged says what a merge did or would do.
type Merged struct {
	Into      string   // short name of the branch that is checked out; "HEAD" when none is
	Commits   int      // that are taken over
	Lost      int      // that a reset leaves behind
	Conflicts []string // paths; then nothing is done
	Done      bool     // what is checked out has the work
	Commit    string   // what is checked out now
}

// What keeps a merge from being made.
var (
	ErrNoIdentity = errors.New("git does not know your name and e-mail address")
	ErrTooMany    = errors.New("too many commits to pick one by one")
)

// DirtyError says that the working tree has changes, or is in the middle of something, that a merge could destroy.
type DirtyError struct {
	Dir  string
	What string // what it is in the middle of; empty: changed files
}

func (e *DirtyError) Error() string {
	if e.What != "" {
		return fmt.Sprintf("%s is in the middle of a %s", e.Dir, e.What)
	}
	return e.Dir + " has changes that are not committed"
}

// Merge takes a session's work over. What it makes is made beside the repository first, and only moved into it, and the working tree moved to it in one step
// of git's that refuses rather than overwrites, when there is no conflict: it is done or nothing is.
//
// The user's configuration counts (identity, signing, merge drivers, filters), their hooks do not: hooks tend to run what is in the working tree, which is then what
// the container has written. Which files a merge driver takes is said by the attributes that are checked out before, so not by the container; which ones a filter takes is
// said, as with git merge, by those that come: it runs a command of the user's, never of the container's. A dry run writes nothing at all.
func (r *Repo) Merge(ctx context.Context, m Merge) (Merged, error) {
	var result Merged
	head, err := git(ctx, r.Root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil {
		return result, fmt.Errorf("merge %s: %w", m.Branch, ErrNoCommit)
	}
	result.Commit, result.Into = head, "HEAD"
	if name, err := git(ctx, r.Root, "symbolic-ref", "--quiet", "--short", "HEAD"); err == nil {
		result.Into = name
	}
	if !m.DryRun {
		if err := r.clean(ctx); err != nil {
			return result, err
		}
	}
	q, err := r.newQuarantine()
	if err != nil {
		return result, err
	}
	defer q.remove()
	plan := &mergePlan{Merge: m, r: r, q: q, head: head, into: result.Into}
	target, err := plan.make(ctx, &result)
	if err != nil {
		return result, fmt.Errorf("%s: %w", plan.verb(), full(err))
	}
	if len(result.Conflicts) > 0 || m.DryRun {
		return result, nil
	}
	if target != head {
		if err := plan.apply(ctx, target); err != nil {
			return result, fmt.Errorf("%s: %w", plan.verb(), full(err))
		}
	}
	result.Done, result.Commit = true, target
	return result, nil
}

// clean returns a DirtyError unless the working tree is as its commit, but for files that git does not know.
func (r *Repo) clean(ctx context.Context) error {
	for file, what := range map[string]string{
		"MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert", "rebase-merge": "rebase", "rebase-apply": "rebase", "sequencer": "cherry-pick or revert",
	} {
		if _, err := os.Lstat(filepath.Join(r.Dir, file)); err == nil {
			return &DirtyError{Dir: r.Root, What: what}
		}
	}
	out, err := git(ctx, r.Root, "status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=dirty")
	if err == nil && out != "" {
		err = &DirtyError{Dir: r.Root}
	}
	return err
}

// mergePlan is one merge. Objects that it makes are in the quarantine until they are wanted.
type mergePlan struct {
	Merge
	r          *Repo
	q          *quarantine
	head, into string
}

func (p *mergePlan) verb() string {
	switch p.How {
	case CherryPick:
		return "cherry-pick " + p.Branch
	case Squash:
		return "squash " + p.Branch
	case ResetTo:
		return "reset to " + p.Branch
	case MergeCommits:
	}
	return "merge " + p.Branch
}

// make finds or makes the commit that is to be checked out.
func (p *mergePlan) make(ctx context.Context, result *Merged) (target string, err error) {
	if result.Commits, err = p.r.Count(ctx, p.head, p.Tip); err != nil {
		return "", err
	}
	switch p.How {
	case ResetTo:
		result.Lost, err = p.r.Count(ctx, p.Tip, p.head)
		return p.Tip, err
	case CherryPick:
		return p.pick(ctx, result)
	case MergeCommits, Squash:
	}
	if result.Commits == 0 {
		return p.head, nil
	}
	behind, err := p.r.Count(ctx, p.Tip, p.head)
	if err != nil {
		return "", err
	}
	if p.How == MergeCommits && behind == 0 {
		return p.Tip, nil
	}
	tree, conflicts, err := p.mergeTrees(ctx, p.head, p.Tip, "")
	if err != nil || len(conflicts) > 0 {
		result.Conflicts = conflicts
		return "", err
	}
	return p.join(ctx, tree)
}

// join makes the commit of a merge or a squash.
func (p *mergePlan) join(ctx context.Context, tree string) (string, error) {
	message, parents := p.Message, []string{"-p", p.head}
	switch p.How {
	case Squash:
		now, err := git(ctx, p.r.Root, "rev-parse", p.head+"^{tree}")
		if err != nil || now == tree {
			return p.head, err // it is all there already
		}
		if message == "" {
			message, err = p.squashMessage(ctx)
		}
		if err != nil {
			return "", err
		}
	case MergeCommits, CherryPick, ResetTo:
		parents = append(parents, "-p", p.Tip)
		if message == "" {
			message = fmt.Sprintf("Merge branch '%s'", p.Branch)
		}
	}
	return p.commit(ctx, tree, message, nil, parents...)
}

// squashMessage names the branch and lists its commits.
func (p *mergePlan) squashMessage(ctx context.Context) (string, error) {
	list, err := git(ctx, p.r.Root, "log", "--reverse", "--no-show-signature", "--no-merges", "--max-count=100", "--format=* %s", p.Tip, "^"+p.head, "--")
	if err != nil {
		return "", err
	}
	if !strings.Contains(list, "\n") {
		return git(ctx, p.r.Root, "log", "-1", "--no-show-signature", "--format=%B", p.Tip, "--")
	}
	return fmt.Sprintf("Squash branch '%s'\n\n%s", p.Branch, list), nil
}

// commit makes a commit as its user would, whose signature too is theirs.
func (p *mergePlan) commit(ctx context.Context, tree, message string, env []string, parents ...string) (string, error) {
	args := []string{"commit-tree", tree, "-F", "-"}
	if sign, err := git(ctx, p.r.Root, "config", "--type=bool", "--get", "commit.gpgSign"); err == nil && sign == "true" {
		args = append(args, "-S")
	}
	call := p.call(append(args, parents...)...)
	call.env = append(call.env, env...)
	call.in = strings.NewReader(strings.TrimRight(message, "\n") + "\n")
	commit, err := call.answer(ctx, 1<<10)
	if said(err, "empty ident", "tell me who you are", "unable to auto-detect", "auto-detection is disabled") {
		return "", ErrNoIdentity
	}
	return commit, err
}

// call prepares git in the user's repository, with its configuration, that writes objects into the quarantine.
func (p *mergePlan) call(args ...string) gitCall {
	return gitCall{dir: p.r.Root, args: args, env: environment("GIT_OBJECT_DIRECTORY=" + filepath.Join(p.q.dir, "objects"))}
}

// apply moves the new objects into the repository, and then the branch, the index and the files to target. git refuses to overwrite files that it does not know.
func (p *mergePlan) apply(ctx context.Context, target string) error {
	if err := p.move(ctx, target); err != nil {
		return err
	}
	args := []string{"merge", "-q", "--ff-only", target}
	if p.How == ResetTo {
		args = []string{"reset", "-q", "--keep", target}
	}
	return gitCall{
		dir: p.r.Root, args: append([]string{"-c", "merge.autoStash=false", "-c", "submodule.recurse=false"}, args...),
		// Git LFS would fetch from wherever the container's .lfsconfig says, and fail where there is nothing, with half of the files checked out.
		env: environment("GIT_REFLOG_ACTION=sketch-ide: "+p.verb(), "GIT_LFS_SKIP_SMUDGE=1"),
	}.run(ctx)
}

// move moves what target needs and the repository lacks.
func (p *mergePlan) move(ctx context.Context, target string) error {
	if target == p.Tip {
		return nil
	}
	pack, err := os.CreateTemp(p.q.dir, "pack-")
	if err != nil {
		return err
	}
	defer pack.Close()
	call := p.call("pack-objects", "--revs", "--stdout", "-q")
	call.in, call.out = revisions(target, []string{p.head, p.Tip}), pack
	if err := call.run(ctx); err != nil {
		return err
	}
	if _, err := pack.Seek(0, 0); err != nil {
		return err
	}
	return p.r.addObjects(ctx, pack, true)
}
