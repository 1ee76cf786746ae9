package container

import "context"

// Logs returns the last lines of what the container's process wrote, standard output and error as they came, cut to
// the last 256 KiB.
func (e *Engine) Logs(ctx context.Context, id string, lines int) ([]byte, error) { return nil, nil }
