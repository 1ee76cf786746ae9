package repo

import (
	"context"
	"errors"
	"io"
)

// Repo is a git repository on the host as it was when [Open] read it. Its fields do not change; its methods may be called
// from several goroutines.
type Repo struct {
	Root      string // absolute path of the working tree's top folder, symbolic links resolved
	Dir       string // absolute path of the git directory; for a linked worktree, the worktree's own
	CommonDir string // absolute path of the directory that holds objects and branches; equal to Dir but in linked worktrees
	Head      string // commit that was checked out, as 40 or 64 hexadecimal digits
	Branch    string // short name of the branch that was checked out; empty when HEAD was detached
	Name      string // last part of Root, fit for a folder name inside

	// UserName and UserEmail are the identity that git would commit with on the host; empty when none is configured.
	UserName, UserEmail string

	// Notes says in one sentence each what of this repository does not come along (submodules, LFS files, older history).
	Notes []string

	// Scratch is the folder for what exists while a fetch is served: a few kilobytes of refs. Empty means [os.TempDir].
	// Set it before the first use.
	Scratch string

	shallow bool
	serving chan struct{} // counts running upload-packs
}

// ServeUploadPack serves fetches from the repository on rw until the client has what it wants, and closes rw.
func (r *Repo) ServeUploadPack(ctx context.Context, rw io.ReadWriteCloser) error {
	return errors.Join(ctx.Err(), rw.Close())
}

// Runner runs a POSIX shell script inside the container.
type Runner interface {
	// Run runs the script by sh and returns when it has ended, with an error unless its exit status was 0. It hands each line
	// that the script writes to its standard error to stderr, in order, from one goroutine; [Lines] splits them. A nil stdin is empty.
	Run(ctx context.Context, script string, stdin io.Reader, stderr func(line string)) error
}

// Checkout puts the repository into the folder workspace inside, at r.Head with its history, on the branch sketch/<slug>.
func (r *Repo) Checkout(ctx context.Context, run Runner, workspace, slug string, report func(string)) error {
	return run.Run(ctx, "true", nil, report)
}
