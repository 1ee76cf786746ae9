package container

import (
	"context"
	"time"
)

// Start starts a container that is created or stopped, and describes it. Starting one that runs is no error.
// Errors: ErrPortPublish, ErrNotFound, ErrEngineLost.
func (e *Engine) Start(ctx context.Context, id string) (Container, error) { return Container{}, nil }

// Stop asks the container's process to end, and kills it after grace. Stopping one that does not run is no error.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error { return nil }

// Kill ends the container's process at once. It is ErrNotRunning where there is none.
func (e *Engine) Kill(ctx context.Context, id string) error { return nil }

// Remove removes a container, running or not, with its anonymous volumes. One that is gone already is no error.
func (e *Engine) Remove(ctx context.Context, id string) error { return nil }
