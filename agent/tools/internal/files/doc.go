// Package files reads, lists, searches and changes files for the agent.
//
// Paths are relative to one directory, or absolute: the container is the fence, not this package. What is read is bounded, only regular files are
// opened (a pipe would never end), and every change is whole or not at all: a file is replaced by rename, its mode, its owner, its line
// ends and its byte order mark kept.
//
// What git ignores is neither listed nor searched: ripgrep and git say what that is; where neither is there, nothing but .git and a few
// well-known heaps of other people's files are left out.
//
// The package starts no goroutine. [Files] may be used by several at once; changes happen one after the other.
package files
