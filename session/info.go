package session

import (
	"time"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

// State is where a session stands, for people. It follows from the container's state and the connection's; see [Session.state].
type State string

// The states of a session.
const (
	Starting     State = "starting"     // the image, the container or the repository is being made ready
	Connected    State = "connected"    // ready: prompts, forwards and ssh work
	Reconnecting State = "reconnecting" // the connection broke; it is being redialled, forwards are held
	Lost         State = "lost"         // redialling went on for long without success; it goes on, more slowly
	Stopped      State = "stopped"      // the container is there but does not run; starting the session resumes it
	Gone         State = "gone"         // the container was removed: the session is over
)

// Info is a session's full state at one moment. It is a value: nobody changes it after it was handed out.
type Info struct {
	Name      string
	Folder    string // the host repository's root
	State     State
	Attempt   int // redials since the connection broke
	Err       error
	Owner     bool // this process binds the host ports
	Owned     bool // some process does
	Attached  bool // this process has a connection to it
	Container string
	Image     string
	Workspace string // the repository's path inside
	Branch    string
	Commit    string
	User      string
	Created   time.Time
	SSHConfig string       // path of an ssh_config(5) with the session's name as its Host
	Remote    RemoteWindow // as far as this process knows
	Forwards  []tunnel.Forward
}

// Progress is a step of a start, for people.
type Progress struct {
	Message string
	Percent int // -1: not known
}

// Observer hears of changes. Its methods are called one at a time for each session, each with the full state: what is missed between two calls is in the
// second. They must not block.
type Observer interface {
	SessionChanged(Info)
	PortsChanged(Info)
	BranchChanged(session string, branch Branch)
	// Problem is something that the user should know and that stops nothing. It may be called beside the others.
	Problem(session string, err error)
}
