package ports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// watchCloses calls wake whenever the kernel says that a listening socket may be gone,
// until ctx ends. It needs no privilege, and close is told within some 50 µs.
//
// The kernel multicasts every destroyed TCP socket of the namespace, so a filter in the
// kernel keeps those without a peer. Some are no listeners, none says which listener it was
// (inode and address are cleared by then), and messages get lost under load (ENOBUFS):
// each of them therefore means no more than "scan now".
func watchCloses(ctx context.Context, wake func()) error {
	f, err := openDestroyGroups()
	if err != nil {
		return err
	}
	return readCloses(ctx, f, wake)
}

// readCloses reads destroyed sockets from f, which it closes.
func readCloses(ctx context.Context, f io.ReadCloser, wake func()) error {
	defer f.Close()
	// Closing the file from elsewhere ends the read below.
	stop := context.AfterFunc(ctx, func() { f.Close() })
	defer stop()
	buf := make([]byte, 4<<10)
	for {
		_, err := f.Read(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return fmt.Errorf("read destroyed sockets: %w", err)
		}
		wake()
	}
}

func openDestroyGroups() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("open sock_diag: %w", err)
	}
	f := os.NewFile(uintptr(fd), "sock_diag")
	// Filter first: without it a few thousand quick connections overflow the socket.
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(withoutPeer)), Filter: &withoutPeer[0]}); err != nil {
		return nil, errors.Join(fmt.Errorf("filter destroyed sockets: %w", err), f.Close())
	}
	groups := uint32(1<<(unix.SKNLGRP_INET_TCP_DESTROY-1) | 1<<(unix.SKNLGRP_INET6_TCP_DESTROY-1))
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return nil, errors.Join(fmt.Errorf("join destroyed sockets: %w", err), f.Close())
	}
	return f, nil
}

// withoutPeer is a classic BPF program that keeps messages whose idiag_dport, at 22 behind
// the netlink header, is zero.
var withoutPeer = []unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: nlmsgHeaderLen + 6},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: 0},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0},
}
