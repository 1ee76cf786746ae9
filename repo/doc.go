// Package repo moves a git repository between the host and a session's container.
//
// It owns four things: what is known about the host's repository ([Open]), the read-only git server that the container may
// reach over the session's one connection ([Repo.ServeUploadPack]), the script that puts the repository inside at its
// commit, with its history ([Repo.Checkout]), and the way back: commits of the container as branches sketch/* ([Repo.Pull]).
//
// It writes to the host's repository nothing but refs under refs/heads/sketch/ and refs/sketch/ and the objects that these need, and more only when
// its user asks for a merge; it never runs a hook, and never lets the container name a ref or an object that
// is not on offer: branches, tags, HEAD and the session's own commit. What comes back is pulled by the host, into a quarantine in which it is checked before anything
// of it is moved; nothing here serves git-receive-pack. Everything is done by the git command line, in an
// environment of ours, because users' repositories are what git says they are (worktrees, alternates, reftable, SHA-256).
//
// package session calls it. Goroutines: one per running git that reads or writes a stream; it
// ends before the call returns. git processes run in process groups of their own, which are killed when the context ends.
package repo
