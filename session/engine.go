package session

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/container"
)

// Engine is what a session needs of a container engine; *container.Engine is one.
type Engine interface {
	EnsureImage(ctx context.Context, spec container.ImageSpec, report func(container.Progress)) (container.Image, error)
	Create(ctx context.Context, spec container.Spec) (container.Container, error)
	Start(ctx context.Context, id string) (container.Container, error)
	Stop(ctx context.Context, id string, grace time.Duration) error
	Remove(ctx context.Context, id string) error
	Inspect(ctx context.Context, id string) (container.Container, error)
	List(ctx context.Context) ([]container.Container, error)
	Events(ctx context.Context, id string) iter.Seq[container.Event]
	Logs(ctx context.Context, id string, lines int) ([]byte, error)
	Images(ctx context.Context) ([]container.StoredImage, error)
	DiskUsage(ctx context.Context) (container.Usage, error)
	DropImage(ctx context.Context, image container.StoredImage) error
	Volumes(ctx context.Context) ([]container.StoredVolume, error)
	RemoveVolume(ctx context.Context, name string) error
	RemoveNetwork(ctx context.Context) (bool, error)
	Probes(ctx context.Context, olderThan time.Duration) ([]container.Container, error)
	ExecConn(ctx context.Context, id string, argv []string) (net.Conn, error)
	Local() bool
	Remote() bool
	Host() string
	Close() error
}

var _ Engine = (*container.Engine)(nil)

// Dialer returns what opens the byte transport under SSH to a container:
//
//   - where the engine runs on this very kernel, a connection to the container's own address, without a proxy in between,
//     which is a quarter faster than the published port;
//   - where only the engine's API can be reached, or the container has no network, the standard streams of a process inside
//     that speaks to the SSH server there;
//   - everywhere else (engines in a virtual machine, rootless ones), the port published on this machine's loopback address,
//     and where nothing listens there (a socket that leads to another machine), again the process inside.
//
// The container is inspected at each dial: addresses change when it restarts.
func Dialer(e Engine, id string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		c, err := e.Inspect(ctx, id)
		if err != nil {
			return nil, err
		}
		if c.State != container.StateRunning {
			return nil, fmt.Errorf("%w: it is %s", ErrContainerStopped, c.State)
		}
		return dialContainer(ctx, e, c)
	}
}

func dialContainer(ctx context.Context, e Engine, c container.Container) (net.Conn, error) {
	var d net.Dialer
	switch {
	case e.Remote():
	case e.Local() && c.Address.IsValid():
		return d.DialContext(ctx, "tcp", net.JoinHostPort(c.Address.String(), strconv.Itoa(agent.SSHPort)))
	case c.SSH.IsValid():
		conn, err := d.DialContext(ctx, "tcp", c.SSH.String())
		if err == nil || !errors.Is(err, syscall.ECONNREFUSED) {
			return conn, err
		}
	}
	return e.ExecConn(ctx, c.ID, agent.ConnectCommand())
}
