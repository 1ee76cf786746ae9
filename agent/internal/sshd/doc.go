// Package sshd is the SSH server inside the container, on golang.org/x/crypto/ssh.
//
// It owns the connections, their sessions (commands, shells, pseudo terminals, sftp) and forwards in all directions that OpenSSH
// knows, so that ssh, scp, sftp, rsync, VS Code and the host's own connection can use it as they use sshd. Everything runs as the user
// of the process; a login needs one of the pinned keys and the one user name.
//
// It never sends a banner or a message of the day, never forwards an ssh-agent or X11, never dials but what a client asked
// for, and binds what ssh -R asks for on the loopback addresses only.
//
// Package agent calls it. Goroutines: Server.Serve has one for each connection, and waits for them; a connection has one for each
// channel and waits for them; a session has one for each stream of its command.
package sshd
