package container

import "context"

// Create makes a container and copies its files in; it is not started. Where that fails, nothing is left behind.
// Errors: ErrNameConflict, ErrNotFound (the image is gone), ErrEngineLost.
func (e *Engine) Create(ctx context.Context, spec Spec) (Container, error) { return Container{}, nil }
