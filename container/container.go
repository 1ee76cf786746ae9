package container

import (
	"context"
	"net/netip"
	"time"
)

// State is what a container is doing, in the engine's words.
type State string

// States. A container that stays in StateCreated was left half-made by a crash.
const (
	StateCreated    State = "created"
	StateRunning    State = "running"
	StatePaused     State = "paused"
	StateRestarting State = "restarting"
	StateRemoving   State = "removing"
	StateExited     State = "exited"
	StateDead       State = "dead"
)

// Container is a container as the engine describes it at one moment.
type Container struct {
	ID       string
	Name     string
	Image    string // reference that it was created from
	ImageID  string
	Labels   map[string]string
	State    State
	ExitCode int // of StateExited
	OOM      bool
	Created  time.Time
	Address  netip.Addr     // its own; invalid when it does not run. Reachable only where Engine.Local
	SSH      netip.AddrPort // the published port on 127.0.0.1; invalid when it does not run. Changes with each start
}

// Session is the name of the session that the container belongs to.
func (c Container) Session() string { return c.Labels[LabelSession] }

// Folder is the session's folder on the host.
func (c Container) Folder() string { return c.Labels[LabelFolder] }

// Inspect describes a container by id or name. Errors: ErrNotFound, ErrEngineLost.
func (e *Engine) Inspect(ctx context.Context, id string) (Container, error) { return Container{}, nil }

// List describes all session containers of ours, running or not, oldest first. Address and SSH are set as in Inspect.
func (e *Engine) List(ctx context.Context) ([]Container, error) { return nil, nil }
