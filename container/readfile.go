package container

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
)

// ReadFile returns a regular file of a container, running or not; links are not followed.
// Errors: ErrNotFound, ErrTooBig above limit bytes.
func (e *Engine) ReadFile(ctx context.Context, id, path string, limit int64) ([]byte, error) {
	body, _, err := e.api.CopyFromContainer(ctx, id, path)
	if err != nil {
		return nil, wrap(ctx, "read "+path, err)
	}
	defer body.Close()
	archive := tar.NewReader(body)
	header, err := archive.Next()
	if err != nil {
		return nil, wrap(ctx, "read "+path, err)
	}
	if header.Typeflag != tar.TypeReg {
		return nil, fmt.Errorf("read %s: not a regular file", path)
	}
	if header.Size > limit {
		return nil, fmt.Errorf("read %s: above %d bytes: %w", path, limit, ErrTooBig)
	}
	data, err := io.ReadAll(archive)
	if err != nil {
		return nil, wrap(ctx, "read "+path, err)
	}
	return data, nil
}
