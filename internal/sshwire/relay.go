package sshwire

import (
	"io"
	"sync"
)

// HalfCloser is a two-way byte stream whose directions end on their own: *net.TCPConn, *net.UnixConn, *Stream.
type HalfCloser interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// Relay copies between a and b in both directions until both have ended, closes both, and returns how many bytes went
// from a to b and back. The end of one direction is passed on as a half-close. The first error in either direction is
// returned; it ends both at once and resets both ends (Abort).
//
// To end a relay from outside, close or Abort both ends. It holds no buffer while it waits for bytes.
func Relay(a, b HalfCloser) (ab, ba int64, err error) {
	r := relay{ends: [2]HalfCloser{a, b}}
	var wg sync.WaitGroup
	// Ends with its direction; stopped by fail, and waited for below.
	wg.Go(func() { ba = r.forward(a, b) })
	ab = r.forward(b, a)
	wg.Wait()
	a.Close()
	b.Close()
	return ab, ba, r.err
}

type relay struct {
	ends   [2]HalfCloser
	failed sync.Once
	err    error // written once, read after both directions have ended
}

// forward copies one direction and passes its end on.
func (r *relay) forward(dst, src HalfCloser) int64 {
	n, err := copyLazily(dst, src)
	if err == nil {
		err = dst.CloseWrite()
	}
	if err != nil {
		r.fail(err)
	}
	return n
}

func (r *relay) fail(err error) {
	r.failed.Do(func() {
		r.err = err
		var wg sync.WaitGroup
		// Both at once, since one may wait for its peer. Ends with the abort, which is waited for.
		wg.Go(func() { _ = Abort(r.ends[0]) })
		_ = Abort(r.ends[1]) // err says why
		wg.Wait()
	})
}

// Abort closes c at once, so that its peer sees a reset where c has such a thing: an Abort method (Stream), or
// SetLinger(0) (TCP).
func Abort(c io.Closer) error {
	switch c := c.(type) {
	case interface{ Abort() error }:
		return c.Abort()
	case interface{ SetLinger(sec int) error }:
		c.SetLinger(0) // fails only where the connection is closed already
	}
	return c.Close()
}
