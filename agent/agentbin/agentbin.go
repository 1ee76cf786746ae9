// Package agentbin finds the executable that runs inside containers: sketch-ide itself, built for Linux and an image's architecture.
//
// It owns the choice between this very process's executable, one embedded by a release build, and one named by the developer,
// and the check that it can run in any Linux image. It never builds, downloads or writes anything. package session calls it. No goroutines.
package agentbin

import "fmt"

// For returns the agent executable for arch, as GOARCH and image configurations name it ("amd64", "arm64").
//
// The error, an [*Error] unless a file could not be read, says what to build or set.
func For(arch string) ([]byte, error) { return nil, &Error{Arch: arch, Reason: "none", Hint: ""} }

// Error says why there is no agent executable for an architecture, and what to do.
type Error struct {
	Arch   string // architecture that was asked for
	Reason string // what is wrong with the executables that there are
	Hint   string // what to do about it, one sentence
}

func (e *Error) Error() string {
	return fmt.Sprintf("find agent executable for linux/%s: %s", e.Arch, e.Reason)
}
