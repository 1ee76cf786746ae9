package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// Open reads the repository that dir belongs to. dir may be any folder of a working tree.
//
// What is wrong with dir is an [*OpenError] around one of this package's sentinels. Open writes nothing and takes some
// tens of milliseconds, however large the repository is.
func Open(ctx context.Context, dir string) (*Repo, error) {
	r, err := open(ctx, dir)
	if err == nil {
		return r, nil
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("open repository %s: %w", dir, context.Cause(ctx))
	}
	return nil, &OpenError{Dir: dir, Err: err, Hint: hint(dir, err)}
}

func open(ctx context.Context, dir string) (*Repo, error) {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, os.ErrNotExist):
		return nil, ErrNoFolder
	case err == nil && !info.IsDir():
		return nil, ErrNotFolder
	case err != nil:
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	// git's answers are relative to where it really is.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	r := &Repo{copyFrom: defaultCopyFrom, serving: make(chan struct{}, maxServing)}
	for _, read := range []func(context.Context, string) error{r.checkVersion, r.readPlace, r.readHead, r.readIdentity, r.readNotes} {
		if err := read(ctx, dir); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// readPlace finds the folders. Each path is asked for by itself, since a path may contain a newline.
func (r *Repo) readPlace(ctx context.Context, dir string) error {
	bare, err := git(ctx, dir, "rev-parse", "--is-bare-repository")
	switch {
	case said(err, "dubious ownership", "is owned by someone else"):
		return ErrUnsafe
	case said(err, "not a git repository"):
		return ErrNotRepository
	case err != nil:
		return err
	case bare == "true":
		return ErrBare
	}
	if r.Root, err = git(ctx, dir, "rev-parse", "--show-toplevel"); said(err, "must be run in a work tree") {
		return ErrInsideGitDir
	} else if err != nil {
		return err
	}
	if r.Dir, err = git(ctx, dir, "rev-parse", "--absolute-git-dir"); err != nil {
		return err
	}
	common, err := git(ctx, dir, "rev-parse", "--git-common-dir") // relative to dir, or absolute
	if err != nil {
		return err
	}
	if !filepath.IsAbs(common) {
		common = filepath.Join(dir, common)
	}
	if r.CommonDir, err = filepath.EvalSymlinks(common); err != nil {
		return err
	}
	r.Name = folderName(r.Root)
	return nil
}

// folderName makes the last part of path fit for a folder inside: what a terminal or git could trip over becomes a dash.
// Spaces, quotes and other printable characters stay.
func folderName(path string) string {
	name := strings.ToValidUTF8(filepath.Base(path), "-")
	name = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || c == '/' || c == '\\' {
			return '-'
		}
		return c
	}, name)
	if name == "-" || name == "." || name == ".." || name == "" {
		return "repository"
	}
	return name
}

func (r *Repo) readHead(ctx context.Context, dir string) error {
	ref, err := git(ctx, dir, "symbolic-ref", "--quiet", "HEAD")
	if err != nil && !declined(err) { // status 1: detached
		return err
	}
	r.Branch = strings.TrimPrefix(ref, "refs/heads/")
	if r.Head, err = git(ctx, dir, "rev-parse", "--quiet", "--verify", "HEAD^{commit}"); err == nil {
		return nil
	}
	if id, err := git(ctx, dir, "rev-parse", "--quiet", "--verify", "HEAD"); err == nil {
		return fmt.Errorf("commit %s, which HEAD names, cannot be read", id)
	}
	return ErrNoCommit
}

func (r *Repo) readIdentity(ctx context.Context, dir string) error {
	for key, value := range map[string]*string{"user.name": &r.UserName, "user.email": &r.UserEmail} {
		out, err := git(ctx, dir, "config", "--get", key)
		if err != nil && !declined(err) { // status 1: not set
			return err
		}
		*value = oneLine(out)
	}
	return nil
}

// oneLine drops what neither an identity nor a terminal should get: control characters, and bytes that are no UTF-8.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "")))
}

// hint says what to do about err.
func hint(dir string, err error) string {
	switch {
	case errors.Is(err, ErrNoGit):
		return fmt.Sprintf("Install git %d.%d or newer.", minMajor, minMinor)
	case errors.Is(err, ErrGitTooOld):
		return fmt.Sprintf("Update git to %d.%d or newer.", minMajor, minMinor)
	case errors.Is(err, ErrNoFolder), errors.Is(err, ErrNotFolder):
		return "Name a folder of a git repository."
	case errors.Is(err, ErrNotRepository):
		return "Open a folder of a git repository, or make one here with: git init"
	case errors.Is(err, ErrInsideGitDir):
		return "Open the folder that contains .git."
	case errors.Is(err, ErrBare):
		return "Open a clone or a worktree of it."
	case errors.Is(err, ErrNoCommit):
		return "Make a first commit, with: git commit --allow-empty -m 'First commit'"
	case errors.Is(err, ErrUnsafe):
		return "If you trust it, allow it with: git config --global --add safe.directory " + quote(nearestRoot(dir))
	case errors.Is(err, ErrPartialClone):
		return "Clone it again without --filter."
	default:
		return ""
	}
}

// nearestRoot is the folder at or above dir that has a .git, which is what safe.directory has to name.
func nearestRoot(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	if resolved, err := filepath.EvalSymlinks(abs); err == nil {
		abs = resolved
	}
	for at := abs; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return abs
		}
	}
}
