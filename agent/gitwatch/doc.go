// Package gitwatch tells the host where the branch stands that a session's work is on, and tells the agent where the host's branch stands that the work started
// from: both ends of the agent's /git.
//
// Inside, a [Watcher] watches the repository and serves HTTP:
//
//	GET /git?branch=NAME  a stream of [State], one JSON object a line: at once, and after each change
//	PUT /git/base         takes a [Base] from the host
//	PUT /git/packs/NAME   takes a pack, or its index, of the host's repository
//
// On the host, [Follow] reads the stream, [SendBase] sends the base and [SendPack] a pack. What comes from the container is bounded and checked: a state of a
// branch that the host did not ask for, what is no name of a commit, or a name that people cannot be shown, ends the stream.
//
// Goroutines: [Watcher.Run] watches until its context ends; each stream lives in its HTTP handler.
package gitwatch
