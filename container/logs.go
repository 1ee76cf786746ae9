package container

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/docker/docker/api/types/container"
)

const maxLogs = 256 << 10

// Logs returns the last lines of what the container's process wrote, standard output and error as they came, cut to
// the last 256 KiB.
func (e *Engine) Logs(ctx context.Context, id string, lines int) ([]byte, error) {
	body, err := e.api.ContainerLogs(ctx, id, container.LogsOptions{
		ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(max(0, lines)),
	})
	if err != nil {
		return nil, wrap(ctx, "read logs", err)
	}
	defer body.Close()
	var out tail
	// A log that is rotated while it is read ends in the middle of a frame.
	if _, err := io.Copy(&out, &demultiplexer{r: body}); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, wrap(ctx, "read logs", err)
	}
	return out.last(), nil
}

// tail keeps the end of what is written to it, in at most twice the memory.
type tail struct{ buf []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p[max(0, len(p)-maxLogs):]...)
	if len(t.buf) > 2*maxLogs {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-maxLogs:]...)
	}
	return len(p), nil
}

// last begins at the beginning of a line where something was cut.
func (t *tail) last() []byte {
	if len(t.buf) <= maxLogs {
		return t.buf
	}
	b := t.buf[len(t.buf)-maxLogs:]
	if _, lines, found := bytes.Cut(b, []byte{'\n'}); found {
		return lines
	}
	return b
}
