package session

import (
	"context"
	"fmt"
	"iter"
	"net"
	"strconv"
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
	RemoveImage(ctx context.Context, id string) error
	Probes(ctx context.Context, olderThan time.Duration) ([]container.Container, error)
	Local() bool
	Host() string
	Close() error
}

var _ Engine = (*container.Engine)(nil)

// Dialer returns what opens the byte transport under SSH to a container. Where the engine runs on this very kernel the container's own address is
// reached without a proxy in between, which is a quarter faster than the published port; everywhere else it is the published loopback
// port. The container is inspected at each dial: both addresses change when it restarts.
func Dialer(e Engine, id string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		c, err := e.Inspect(ctx, id)
		if err != nil {
			return nil, err
		}
		if c.State != container.StateRunning {
			return nil, fmt.Errorf("%w: it is %s", ErrContainerStopped, c.State)
		}
		var d net.Dialer
		if e.Local() && c.Address.IsValid() {
			return d.DialContext(ctx, "tcp", net.JoinHostPort(c.Address.String(), strconv.Itoa(agent.SSHPort)))
		}
		return d.DialContext(ctx, "tcp", c.SSH.String())
	}
}
