package tunnel

import (
	"errors"
	"fmt"
	"time"
)

// Phase is where a Conn stands.
type Phase int

const (
	// Connecting is the first attempt; nothing has worked yet.
	Connecting Phase = iota
	// Connected means that channels can be opened.
	Connected
	// Reconnecting means that the connection was lost, or that the first attempt failed, and is being redialled.
	Reconnecting
	// Lost means that redialling has failed for LostAfter, or that the peer is not the pinned one. Unless it is the
	// latter, redialling continues, slowly. A Kick starts anew in either case.
	Lost
	// Gone is final: the container no longer exists.
	Gone
)

func (p Phase) String() string {
	switch p {
	case Connecting:
		return "connecting"
	case Connected:
		return "connected"
	case Reconnecting:
		return "reconnecting"
	case Lost:
		return "lost"
	case Gone:
		return "gone"
	}
	return fmt.Sprintf("phase(%d)", int(p))
}

// State is one state of a Conn. The zero State is Connecting.
type State struct {
	Phase   Phase
	Attempt int       // failed or running attempts since the connection was last up, from 1; 0 while it is up
	Err     error     // why it is not Connected; nil while it is, or before the first failure
	Since   time.Time // when Phase was entered
}

var (
	// ErrGone is matched by errors after Gone.
	ErrGone = errors.New("container is gone")
	// ErrNotConnected is matched by the errors of calls whose context ended while the connection was down.
	ErrNotConnected = errors.New("not connected to the container")
)
