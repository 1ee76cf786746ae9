package ports

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A netlinkSource dumps the listeners through one NETLINK_SOCK_DIAG socket. It needs no
// privilege, costs some 20 µs whatever the number of connections, and holds one
// descriptor.
type netlinkSource struct {
	fd   int
	name string
	dump func(*netlinkSource, []Listener) ([]Listener, error)
	buf  []byte
	seq  uint32
}

var _ Source = (*netlinkSource)(nil)

// openNetlink uses the legacy request, which answers for both families at once.
func openNetlink(context.Context) (Source, error) {
	return newNetlinkSource("netlink", (*netlinkSource).dumpLegacy)
}

// openNetlinkFamilies is for kernels that have dropped or forbid the legacy request.
func openNetlinkFamilies(context.Context) (Source, error) {
	return newNetlinkSource("netlink-families", (*netlinkSource).dumpFamilies)
}

func newNetlinkSource(name string, dump func(*netlinkSource, []Listener) ([]Listener, error)) (*netlinkSource, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("open sock_diag: %w", err)
	}
	// The kernel has answered by the time that send returns; the timeout is for a
	// sandbox that swallows requests.
	second := unix.Timeval{Sec: 1}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &second); err != nil {
		return nil, errors.Join(fmt.Errorf("bound sock_diag: %w", err), unix.Close(fd))
	}
	return &netlinkSource{fd: fd, name: name, dump: dump, buf: make([]byte, 64<<10)}, nil
}

func (s *netlinkSource) Name() string { return s.name }
func (s *netlinkSource) Close() error { return unix.Close(s.fd) }

// Listeners repeats a dump that the kernel calls inconsistent once.
func (s *netlinkSource) Listeners(_ context.Context, dst []Listener) ([]Listener, error) {
	got, err := s.dump(s, dst)
	if errors.Is(err, errDumpInterrupted) {
		return s.dump(s, dst)
	}
	return got, err
}

func (s *netlinkSource) dumpLegacy(dst []Listener) ([]Listener, error) {
	s.seq++
	return s.ask(dst, legacyRequest(s.seq))
}

func (s *netlinkSource) dumpFamilies(dst []Listener) ([]Listener, error) {
	s.seq++
	dst, err := s.ask(dst, familyRequest(s.seq, unix.AF_INET))
	if err != nil {
		return dst, err
	}
	s.seq++
	got, err := s.ask(dst, familyRequest(s.seq, unix.AF_INET6))
	if errors.Is(err, unix.ENOENT) {
		return dst, nil // a kernel without IPv6
	}
	return got, err
}

// ask sends a request and reads its answer to the end. An error leaves datagrams in the
// socket; the caller then drops the source, and sequence numbers protect the one retry.
func (s *netlinkSource) ask(dst []Listener, request []byte) ([]Listener, error) {
	kernel := &unix.SockaddrNetlink{Family: unix.AF_NETLINK}
	if err := retryInterrupted(func() error { return unix.Sendto(s.fd, request, 0, kernel) }); err != nil {
		return dst, fmt.Errorf("request sockets: %w", err)
	}
	for {
		b, err := s.receive()
		if err != nil {
			return dst, err
		}
		var done bool
		if dst, done, err = parseDiag(dst, b, s.seq); done || err != nil {
			return dst, err
		}
	}
}

// receive returns the next datagram of the kernel; a process may send to us as well.
func (s *netlinkSource) receive() ([]byte, error) {
	for {
		var n, flags int
		var from unix.Sockaddr
		err := retryInterrupted(func() (err error) {
			n, _, flags, from, err = unix.Recvmsg(s.fd, s.buf, nil, 0)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read sockets: %w", err)
		}
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue
		}
		if flags&unix.MSG_TRUNC != 0 {
			return nil, errNetlinkMalformed
		}
		return s.buf[:n], nil
	}
}

// retryInterrupted repeats a system call that a signal cut short; the Go runtime's
// preemption signals do.
func retryInterrupted(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
