package tunnel

import (
	"errors"
	"fmt"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// Phase is where a Conn stands.
type Phase int

const (
	// Connecting means that nothing has worked yet, and is being tried.
	Connecting Phase = iota
	// Connected means that channels can be opened.
	Connected
	// Reconnecting means that the connection was lost and is being redialled.
	Reconnecting
	// Lost means that dialling has failed for LostAfter, or that the peer is not the pinned one (Err matches ErrHostKey).
	// In the first case dialling goes on, slowly; in the second it does not. A Kick starts anew in either case.
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
	Attempt int       // running or last attempt of this outage, from 1; 0 while Connected
	Err     error     // why it is not Connected; nil while it is, and before the first failure
	Since   time.Time // when Phase was entered
}

var (
	// ErrHostKey is matched by the error of a State, and of calls, when the peer does not hold the pinned key. It is
	// not retried: whoever answers there is somebody else.
	ErrHostKey = sshwire.ErrHostKey
	// ErrGone is matched by errors after Gone.
	ErrGone = errors.New("container is gone")
	// ErrEnded is matched by Forward's error while the container is stopped on purpose.
	ErrEnded = errors.New("container was stopped")
	// ErrNotConnected is matched by the errors of calls whose context ended while the connection was down.
	ErrNotConnected = errors.New("not connected to the container")
	// ErrBroken is matched by the errors of what went over a connection that broke meanwhile: it is not known what came of it.
	ErrBroken = errors.New("connection to the container broke")
	// ErrRefused is matched by the errors of DialContext when nothing inside accepted the connection.
	ErrRefused = errors.New("connection refused inside the container")
)
