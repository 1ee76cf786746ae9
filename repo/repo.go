package repo

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

	shallow  bool
	foresees bool          // git can merge beside the working tree (since 2.38)
	copyFrom int64         // bytes of packs from which on they are copied
	serving  chan struct{} // has an element for each running upload-pack
}
