// Package dockertest has what tests of engines need beside the one on this machine: a second dockerd of the test's own that can be reached by nothing but
// its API ([Start]), in the ways that its users have (a socket, TLS, SSH), and small images ([Busybox]).
//
// Only tests use it. It needs root on Linux, as the first engine does, and OpenSSH. What it makes is gone when the test ends: processes, network
// namespace, folders, images.
//
// Goroutines: one for each connection that [Engine.TLS] passes on; they end with the test, which waits for them.
package dockertest
