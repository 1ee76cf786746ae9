// Package memconn connects two ends in memory, for tests: a net.Conn pair that buffers, so that an SSH handshake, in which
// both ends write first, does not deadlock as it does on net.Pipe.
//
// It uses nothing but mutexes, conditions and timers, so that it works inside a testing/synctest bubble. It is for
// tests only, has no goroutines, and is called by the tests of the packages that speak SSH.
package memconn

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// bufferLimit is what one direction holds before Write blocks: about a TCP socket's.
const bufferLimit = 256 << 10

// Conn is one end of a pair. Besides net.Conn it has the half-close and the reset of a *net.TCPConn.
type Conn struct {
	in, out *half
	local   net.Addr
	remote  net.Addr
	resets  atomic.Bool // Close is a reset
}

// Pair returns two connected ends.
func Pair() (*Conn, *Conn) {
	a, b := newHalf(), newHalf()
	one := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	two := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2}
	return &Conn{in: a, out: b, local: one, remote: two}, &Conn{in: b, out: a, local: two, remote: one}
}

// half is one direction: a bounded byte queue.
type half struct {
	mu            sync.Mutex
	changed       sync.Cond
	buf           []byte
	stalled       bool  // holds bytes back, as a network that has gone silent
	writeErr      error // what Write returns once the direction is closed
	readErr       error // what Read returns once buf is empty
	readDeadline  deadline
	writeDeadline deadline
}

func newHalf() *half {
	h := &half{}
	h.changed.L = &h.mu
	return h
}

// deadline wakes the waiters of a half when it passes.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(t time.Time, h *half) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), h.changed.Broadcast)
	}
	h.changed.Broadcast()
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// end closes the direction: later writes fail with writeErr, and reads with readErr after what is buffered.
func (h *half) end(writeErr, readErr error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writeErr == nil {
		h.writeErr = writeErr
	}
	if h.readErr == nil || !errors.Is(readErr, io.EOF) {
		h.readErr = readErr
	}
	if !errors.Is(readErr, io.EOF) {
		h.buf = nil
	}
	h.changed.Broadcast()
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	h := c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readDeadline.passed():
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0 && !h.stalled:
			n := copy(p, h.buf)
			h.buf = h.buf[n:]
			h.changed.Broadcast()
			return n, nil
		case h.readErr != nil && (!h.stalled || !errors.Is(h.readErr, io.EOF)):
			return 0, h.readErr
		}
		h.changed.Wait()
	}
}

// Write implements net.Conn. It blocks while the peer has not read enough.
func (c *Conn) Write(p []byte) (n int, err error) {
	h := c.out
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(p) > 0 {
		switch {
		case h.writeErr != nil:
			return n, h.writeErr
		case h.writeDeadline.passed():
			return n, os.ErrDeadlineExceeded
		case len(h.buf) < bufferLimit:
			m := min(len(p), bufferLimit-len(h.buf))
			h.buf = append(h.buf, p[:m]...)
			n, p = n+m, p[m:]
			h.changed.Broadcast()
			continue
		}
		h.changed.Wait()
	}
	return n, nil
}

// CloseWrite ends the direction to the peer.
func (c *Conn) CloseWrite() error {
	c.out.end(syscall.EPIPE, io.EOF)
	return nil
}

// Close ends both directions. After SetLinger(0) the peer sees a reset instead of an end.
func (c *Conn) Close() error {
	peer := io.EOF
	if c.resets.Load() {
		peer = syscall.ECONNRESET
	}
	c.out.end(net.ErrClosed, peer)
	c.in.end(syscall.EPIPE, net.ErrClosed)
	c.SetDeadline(time.Time{})
	return nil
}

// SetLinger makes Close a reset when sec is 0.
func (c *Conn) SetLinger(sec int) error {
	c.resets.Store(sec == 0)
	return nil
}

// Stall stops, or resumes, delivery in both directions without closing anything: the cable is out.
func (c *Conn) Stall(stalled bool) {
	for _, h := range []*half{c.in, c.out} {
		h.mu.Lock()
		h.stalled = stalled
		h.changed.Broadcast()
		h.mu.Unlock()
	}
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.readDeadline.set(t, c.in)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.writeDeadline.set(t, c.out)
	return nil
}
