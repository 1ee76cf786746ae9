// Package sshconfig is what sketch-ide writes for OpenSSH: the entry of a session in a file of our own ([Host]), and the one Include line in the user's
// configuration that makes `ssh sketch-…` work from any terminal and in Remote-SSH ([User]).
//
// The user's file is edited, never rewritten: whatever is in it stays byte for byte, so that Match blocks, tabs, CRLF and comments survive, and removing the line
// restores what was there before. It knows neither sessions nor editors. It has no goroutines; callers keep two edits apart by a lock of theirs.
package sshconfig
