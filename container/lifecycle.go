package container

import (
	"context"
	"errors"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
)

// Start starts a container that is created or stopped, and describes it. Starting one that runs is no error.
// Errors: ErrPortPublish, ErrNotFound, ErrEngineLost.
func (e *Engine) Start(ctx context.Context, id string) (Container, error) {
	err := e.api.ContainerStart(ctx, id, container.StartOptions{})
	if networkMissing(err) && e.reattach(ctx, id) == nil {
		err = e.api.ContainerStart(ctx, id, container.StartOptions{})
	}
	if err != nil {
		if isPortFailure(err) {
			return Container{}, &callError{op: "start container", kind: ErrPortPublish, err: err}
		}
		return Container{}, wrap(ctx, "start container", err)
	}
	return e.Inspect(ctx, id)
}

// isPortFailure goes by the engine's words since it has no code for this: Docker's own proxy, its iptables rules, and
// Docker Desktop say it differently.
func isPortFailure(err error) bool {
	text := err.Error()
	return strings.Contains(text, "external connectivity") ||
		strings.Contains(text, "port is already allocated") ||
		strings.Contains(text, "Ports are not available")
}

// Stop asks the container's process to end, and kills it after grace, which is counted in whole seconds. Stopping one
// that does not run is no error. A paused one is resumed for it.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	if err := e.Unpause(ctx, id); err != nil {
		return err
	}
	seconds := int(max(0, grace) / time.Second)
	return wrap(ctx, "stop container", e.api.ContainerStop(ctx, id, container.StopOptions{Timeout: &seconds}))
}

// Kill ends the container's process at once. It is ErrNotRunning where there is none.
func (e *Engine) Kill(ctx context.Context, id string) error {
	if err := e.Unpause(ctx, id); err != nil {
		return err
	}
	err := e.api.ContainerKill(ctx, id, "KILL")
	if cerrdefs.IsConflict(err) {
		return &callError{op: "kill container", kind: ErrNotRunning, err: err}
	}
	return wrap(ctx, "kill container", err)
}

// Pause freezes the container's processes. It is ErrNotRunning where there are none, or they are frozen already.
func (e *Engine) Pause(ctx context.Context, id string) error {
	err := e.api.ContainerPause(ctx, id)
	if cerrdefs.IsConflict(err) {
		return &callError{op: "pause container", kind: ErrNotRunning, err: err}
	}
	return wrap(ctx, "pause container", err)
}

// Unpause resumes a paused container; for any other it is no error.
func (e *Engine) Unpause(ctx context.Context, id string) error {
	c, err := e.Inspect(ctx, id)
	if err != nil || c.State != StatePaused {
		return err
	}
	return wrap(ctx, "resume container", e.api.ContainerUnpause(ctx, id))
}

// Remove removes a container, running or not, with its anonymous volumes. One that is gone already, or that somebody
// else is removing, is no error.
func (e *Engine) Remove(ctx context.Context, id string) error {
	err := e.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if cerrdefs.IsConflict(err) && strings.Contains(err.Error(), "already in progress") {
		return nil
	}
	if err = wrap(ctx, "remove container", err); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
