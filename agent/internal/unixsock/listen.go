// Package unixsock makes listening unix sockets that only their owner can use, and takes over what a dead process left.
//
// Both the agent's own sockets and those that ssh -R asks for are made here. It never removes anything that is not a socket, nor a
// socket on which somebody accepts. It has no goroutines.
package unixsock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// socketMode is the mode of the sockets.
const socketMode fs.FileMode = 0o600

const probeTimeout = time.Second

// ErrNotSocket means that something else than a socket has the path; it is left alone.
var ErrNotSocket = errors.New("exists and is not a socket")

// Listen listens on path. A socket there on which nobody accepts is replaced; a live one gives an error that matches
// [syscall.EADDRINUSE]. ctx bounds the look at what is there. The listener's Close removes the path, unless another socket has taken it meanwhile.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	if err := free(ctx, path); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	// The socket gets its mode in a directory that nobody else can enter, and only then its name: there is no moment at which it
	// can be used by others, and the rename replaces a stale one at once.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	defer os.RemoveAll(dir)
	return listenVia(filepath.Join(dir, "s"), path)
}

func listenVia(temporary, path string) (net.Listener, error) {
	inner, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	inner.SetUnlinkOnClose(false)
	info, err := settle(temporary, path)
	if err != nil {
		inner.Close()
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return &listener{UnixListener: inner, path: path, info: info}, nil
}

func settle(temporary, path string) (fs.FileInfo, error) {
	if err := os.Chmod(temporary, socketMode); err != nil {
		return nil, err
	}
	if err := os.Rename(temporary, path); err != nil {
		return nil, err
	}
	return os.Lstat(path)
}

// free reports whether path may be taken.
func free(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return ErrNotSocket
	}
	conn, err := (&net.Dialer{Timeout: probeTimeout}).DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
		return syscall.EADDRINUSE
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return err
}

type listener struct {
	*net.UnixListener
	path string
	info fs.FileInfo
	once sync.Once
	err  error
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *listener) Close() error {
	l.once.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.info) {
			os.Remove(l.path) // what is left is taken over by the next Listen
		}
		l.err = l.UnixListener.Close()
	})
	return l.err
}
