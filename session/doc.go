// Package session makes one thing of the parts: a session is a container, the SSH connection into it, the repository inside it, and
// the host ports that lead to its servers. It owns the session's state machine, its keys, and what the state directory keeps of it.
//
// A [Supervisor] holds the sessions that this process is attached to. Several processes may be attached to one session (an editor window each, a
// terminal): a file lock elects the owner, which alone binds host ports and may show toasts; the others read what it
// forwards from a file and take over when it goes. A session outlives every process: detaching leaves the container running, and whoever
// starts a session on the same repository again is attached to it.
//
// The package never draws anything and knows no editor: cmd/sketch-ide translates an [Info] for an editor or a terminal.
//
// Goroutines: [Supervisor.Run] waits for one [Session.run] per attached session. That one owns: the SSH connection (tunnel.Conn), the
// follower of /port-events, the engine's event stream, the forwards (tunnel.Manager, only while owner), the writer of what is forwarded, the watch of
// devcontainer.json, and the election. All end with it.
package session
