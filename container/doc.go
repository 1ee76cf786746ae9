// Package container owns everything that is said to a container engine: finding it, building a session's image,
// creating and watching its container, moving bytes in and out, and removing what is left.
//
// It speaks the Docker Engine API (20.10, API 1.41, and later; the classic builder), and is the only package that
// imports the engine's client. What it makes carries labels (see [LabelKind]), so that every container and image of
// ours is found again after a crash, and nothing else is ever listed or removed.
//
// It never mounts the engine's socket or what is as powerful into a container, never publishes a port on anything
// but 127.0.0.1, and never reads a file outside the repository, or sends its .git, for a build. It never speaks SSH and
// knows no sessions: names, files and policies come from its caller, package session.
//
// An [Engine] is safe for concurrent use and keeps no state but its connection. Methods block in the caller's
// goroutine. The package has two kinds of goroutines of its own: the writer of a build context, which ends with the build
// it feeds, and the waiter for an ssh process that leads to an engine, which ends with that connection. Callbacks run in
// the goroutine of the call that they were given to.
package container
