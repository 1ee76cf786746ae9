package sshwire

import (
	"errors"
	"io"
	"net"
	"sync"
)

// HalfCloser is a two-way byte stream whose directions end on their own: *net.TCPConn, *net.UnixConn, *Stream.
type HalfCloser interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// aborter is a HalfCloser that can tell its peer that it ends by a reset.
type aborter interface {
	Abort() error
}

// Relay copies between a and b in both directions until both have ended, closes both, and returns how many bytes went
// from a to b and back. The end of one direction is passed on as a half-close. An error in either direction ends both at
// once, resets both ends (Abort), and is returned.
func Relay(a, b HalfCloser) (ab, ba int64, err error) {
	var back error
	var wg sync.WaitGroup
	// Ends with its direction; stopped by abort of both ends, and waited for below.
	wg.Go(func() { ba, back = forward(a, b) })
	ab, err = forward(b, a)
	wg.Wait()
	a.Close()
	b.Close()
	return ab, ba, errors.Join(err, back)
}

// forward copies one direction and passes its end on.
func forward(dst, src HalfCloser) (n int64, err error) {
	n, err = copyLazily(dst, src)
	if err == nil {
		err = dst.CloseWrite()
	}
	if err != nil {
		var wg sync.WaitGroup
		// Both at once, since an abort may wait for its peer.
		wg.Go(func() { Abort(dst) })
		Abort(src)
		wg.Wait()
	}
	return n, err
}

// Abort closes c at once so that its peer sees a reset where c can say so: SetLinger(0) on TCP, RequestAbort on a Stream.
func Abort(c io.Closer) error {
	switch c := c.(type) {
	case aborter:
		return c.Abort()
	case interface{ SetLinger(int) error }:
		c.SetLinger(0) // fails only on a connection that is closed already
	}
	return c.Close()
}

var _ HalfCloser = (*net.TCPConn)(nil)
