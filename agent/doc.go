// Package agent is the process that runs inside a session's container, and the host's view of it.
//
// Inside, [Run] owns everything: the SSH server (package agent/internal/sshd), the HTTP API on a unix socket ([Status], /ports,
// /port-events), the port monitor of package ports, and the socket through which processes in the container reach named
// services of the host ([GitRemoteHelper] is its only user), and a port on the loopback by which tools inside reach the host's gateway to
// the models' servers. It has no other listener: whoever holds the session's key reaches the API through the SSH connection, and nobody
// else reaches it at all.
//
// On the host, [Config] is what the process is started with, [Client] talks to its API over the SSH connection, and the
// constants name where things are inside. These parts compile everywhere; [Run] works on Linux only.
//
// The package never starts a container, never opens a connection to the host (it opens channels on connections that the host
// made), and holds no secret but the session's host key.
//
// Run starts one goroutine for each of its servers and waits for all of them; each of those says above its go lines who ends
// what it starts.
package agent
