// Package sshwire is what both ends of a session's SSH connection have in common: the host's client
// (package tunnel) and the container's server (package agent).
//
// It owns the byte layer below golang.org/x/crypto/ssh (Buffer), the algorithms that both ends offer (ClientConfig,
// ServerConfig), the payloads and names of the channels and requests in use, a channel that can carry a reset
// (Stream), and the copying between a channel and a socket (Relay).
//
// It never dials, listens or decides what a peer may open.
//
// Goroutines: a buffered connection has one while bytes wait to be written, a Stream has one until its channel
// closes, and Relay has one until it returns.
package sshwire
