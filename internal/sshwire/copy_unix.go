//go:build unix

package sshwire

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// whenReady returns the step for a socket: it waits for readiness in the runtime's poller and takes a buffer only then.
func whenReady(c syscall.Conn) (step, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := socketSource{}
	s.try = s.read
	return func(dst io.Writer) (int64, error) {
		if err := raw.Read(s.try); err != nil {
			return 0, err
		}
		return s.deliver(dst)
	}, nil
}

// socketSource is what one read of a socket came to.
type socketSource struct {
	try func(fd uintptr) bool // read, bound once
	buf *[copyBuffer]byte
	n   int
	err error
}

// read is a syscall.RawConn read function: false means not ready.
func (s *socketSource) read(fd uintptr) bool {
	s.buf = copyBuffers.Get().(*[copyBuffer]byte)
	for {
		s.n, s.err = unix.Read(int(fd), s.buf[:])
		switch {
		case errors.Is(s.err, unix.EINTR):
			continue
		case errors.Is(s.err, unix.EAGAIN):
			s.release()
			return false
		}
		return true
	}
}

func (s *socketSource) deliver(dst io.Writer) (int64, error) {
	defer s.release()
	switch {
	case s.err != nil:
		return 0, os.NewSyscallError("read", s.err)
	case s.n == 0:
		return 0, io.EOF
	}
	w, err := dst.Write(s.buf[:s.n])
	return int64(w), err
}

func (s *socketSource) release() {
	copyBuffers.Put(s.buf)
	s.buf = nil
}
