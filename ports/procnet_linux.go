package ports

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A procSource reads /proc/net/tcp and tcp6. That walks the hash table of all
// connections of the machine: milliseconds, where netlink takes microseconds. It is for
// sandboxes without sock_diag, such as gVisor.
type procSource struct{ v4, v6 string }

var _ Source = procSource{}

func openProcNet(context.Context) (Source, error) {
	return procSource{"/proc/net/tcp", "/proc/net/tcp6"}, nil
}

func (procSource) Name() string { return "proc" }
func (procSource) Close() error { return nil }

// Listeners opens both files afresh: on several kernels seeking back in them fails
// (https://github.com/tailscale/tailscale/issues/16966).
func (s procSource) Listeners(_ context.Context, dst []Listener) ([]Listener, error) {
	dst, err := appendProcNet(dst, s.v4)
	if err != nil {
		return dst, err
	}
	got, err := appendProcNet(dst, s.v6)
	if errors.Is(err, fs.ErrNotExist) {
		return dst, nil // a kernel without IPv6
	}
	return got, err
}

func appendProcNet(dst []Listener, path string) ([]Listener, error) {
	f, err := os.Open(path)
	if err != nil {
		return dst, err
	}
	defer f.Close()
	if dst, err = parseProcNet(dst, f); err != nil {
		return dst, fmt.Errorf("read %s: %w", path, err)
	}
	return dst, nil
}
