package container

import (
	"context"
	"errors"
	"fmt"
	"net"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
)

// ExecConn starts a command in a running container, as the image's user, and returns its standard input and output as
// a connection with CloseWrite. What it writes to standard error is dropped. Closing the connection ends the streams;
// a command that ignores the end of its input lives on. Deadlines work as on any net.Conn.
// Errors: ErrNotRunning (also for a paused container), ErrNotFound, ErrEngineLost.
func (e *Engine) ExecConn(ctx context.Context, id string, argv []string) (net.Conn, error) {
	created, err := e.api.ContainerExecCreate(ctx, id, container.ExecOptions{
		Cmd: argv, AttachStdin: true, AttachStdout: true,
	})
	if cerrdefs.IsConflict(err) {
		return nil, &callError{op: "exec in container", kind: ErrNotRunning, err: err}
	}
	if err != nil {
		return nil, wrap(ctx, "exec in container", err)
	}
	stop := func() bool { return true }
	hooked := context.WithValue(ctx, connHook{}, func(conn net.Conn) {
		stop() // of an earlier dial of this call
		stop = context.AfterFunc(ctx, func() { conn.Close() })
	})
	stream, err := e.api.ContainerExecAttach(hooked, created.ID, container.ExecAttachOptions{})
	if !stop() && err == nil {
		stream.Close()
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, wrap(ctx, "exec in container", err)
	}
	return &execConn{Conn: stream.Conn, out: demultiplexer{r: stream.Reader}, stream: stream}, nil
}

// execConn is the hijacked connection of an exec. Its input is raw, its output framed.
type execConn struct {
	net.Conn
	out    demultiplexer
	stream types.HijackedResponse
}

func (c *execConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return c.out.Read(p)
}

// CloseWrite ends the command's standard input.
func (c *execConn) CloseWrite() error {
	if _, ok := c.Conn.(types.CloseWriter); !ok {
		return fmt.Errorf("close exec's input: %w", errors.ErrUnsupported)
	}
	return c.stream.CloseWrite()
}
