// Package repo moves a git repository between the host and a session's container.
//
// It owns three things: what is known about the host's repository ([Open]), the read-only git server that the container may
// reach over the session's one connection ([Repo.ServeUploadPack]), and the script that puts the repository inside at its
// commit, with its history ([Repo.Checkout]).
//
// It never writes to the host's repository, never runs its hooks, and never lets the container name a ref or an object that
// is not on offer: branches, tags, HEAD and the session's own commit. Everything is done by the git command line, in an
// environment of ours, because users' repositories are what git says they are (worktrees, alternates, reftable, SHA-256).
//
// The way back, commits of the container as branches sketch/* on the host, belongs to this package too: it is a fetch by the
// host through the same kind of connection, and nothing here serves git-receive-pack.
//
// package session calls it. Goroutines: one per [Repo.ServeUploadPack] call, which copies what the container sends to git; it
// ends before the call returns. git processes run in process groups of their own, which are killed when the context ends.
package repo
