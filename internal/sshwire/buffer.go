package sshwire

import (
	"bufio"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// readBuffer turns the two or more reads that x/crypto/ssh makes for each packet into one for several packets.
	readBuffer = 256 << 10
	// writeQueue bounds what waits for the kernel. A full queue blocks Write, which is the back pressure that SSH
	// expects; nothing is dropped.
	writeQueue = 1 << 20
	// drainTimeout bounds how long Close waits for the queue.
	drainTimeout = 2 * time.Second
)

// Buffer returns c with large reads and an asynchronous, coalescing write queue of at most 1 MiB, because
// x/crypto/ssh writes each packet with two system calls under a lock that it holds across them.
//
// Write returns once the bytes are queued. An error of c surfaces on the next Write, and stays. Close waits at most
// two seconds for the queue to drain; to abandon the connection at once, close c itself. Deadlines are kept: a write
// deadline bounds the wait for room in the queue and the writes of c, and closes c when it ends one of them. The connection is safe for concurrent use
// as any net.Conn, and has a goroutine only while bytes are queued.
func Buffer(c net.Conn) net.Conn {
	b := &bufferedConn{Conn: c, reader: bufio.NewReaderSize(c, readBuffer)}
	b.changed.L = &b.mu
	return b
}

type bufferedConn struct {
	net.Conn

	readMu sync.Mutex // serializes Read, as net.Conn promises
	reader *bufio.Reader
	broke  atomic.Bool // a Read has failed

	writeMu sync.Mutex // serializes Write, as net.Conn promises

	mu       sync.Mutex // guards what follows, never held across I/O
	changed  sync.Cond  // the queue shrank, the flusher ended, a deadline passed, or the connection broke
	queued   []byte     // not yet taken by the flusher
	spare    []byte     // the flusher's buffer when it is not in use
	inFlight int        // bytes that the flusher has taken and c has not accepted yet
	flushing bool
	closed   bool
	err      error // first error of c, for every later Write
	deadline time.Time
	wake     *time.Timer // broadcasts at deadline while a Write waits for room
}

func (b *bufferedConn) Read(p []byte) (int, error) {
	b.readMu.Lock()
	defer b.readMu.Unlock()
	n, err := b.reader.Read(p)
	if err != nil {
		b.broke.Store(true)
	}
	return n, err
}

// broken reports whether a read of c, from Buffer, has failed. It is true before x/crypto/ssh, which learns of the end of
// a connection from that read, ends the channels with an io.EOF that looks like their peer's.
func broken(c net.Conn) bool {
	b, ok := c.(*bufferedConn)
	return ok && b.broke.Load()
}

func (b *bufferedConn) Write(p []byte) (n int, err error) {
	b.writeMu.Lock()
	defer b.writeMu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(p) > 0 {
		if err := b.waitForRoom(); err != nil {
			return n, err
		}
		room := min(len(p), writeQueue-len(b.queued)-b.inFlight)
		b.queued = append(b.queued, p[:room]...)
		n, p = n+room, p[room:]
		if !b.flushing {
			b.flushing = true
			// Ends by itself when the queue is empty or c fails; Close waits for it.
			go b.flush()
		}
	}
	return n, nil
}

// waitForRoom returns nil with b.mu held when at least one byte can be queued.
func (b *bufferedConn) waitForRoom() error {
	for {
		switch {
		case b.err != nil:
			return b.err
		case b.closed:
			return net.ErrClosed
		case !b.deadline.IsZero() && !time.Now().Before(b.deadline):
			return os.ErrDeadlineExceeded
		case len(b.queued)+b.inFlight < writeQueue:
			return nil
		}
		b.changed.Wait()
	}
}

// flush writes until nothing is queued. It takes all that is queued at once, so that packets which arrive during one
// system call share the next.
func (b *bufferedConn) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queued) > 0 && b.err == nil {
		// Whoever else is about to write goes first. That costs nothing when nobody is, and on a busy connection makes
		// one system call, and one wake-up of the peer, of several packets.
		b.mu.Unlock()
		runtime.Gosched()
		b.mu.Lock()
		batch := b.queued
		b.queued, b.inFlight = b.spare[:0], len(batch)
		b.mu.Unlock()
		_, err := b.Conn.Write(batch)
		b.mu.Lock()
		b.spare, b.inFlight = batch, 0
		if err != nil {
			b.err = err
			b.queued = nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			// Half a packet may have gone out, which nothing can follow. Whoever set the deadline may have done with it by now, and
			// the peer would be read from, and would wait, until somebody writes again.
			b.mu.Unlock()
			_ = b.Conn.Close() // the next Read and Write tell that it has ended
			b.mu.Lock()
		}
		b.changed.Broadcast()
	}
	b.flushing = false
	b.changed.Broadcast()
}

// Close implements net.Conn; see Buffer.
func (b *bufferedConn) Close() error {
	// Closing c ends a stuck write, whatever kind of connection c is; a write deadline would not on all of them.
	timer := time.AfterFunc(drainTimeout, func() { b.Conn.Close() })
	b.mu.Lock()
	b.closed = true
	b.changed.Broadcast()
	for b.flushing {
		b.changed.Wait()
	}
	b.setDeadline(time.Time{})
	b.mu.Unlock()
	timer.Stop()
	return b.Conn.Close()
}

func (b *bufferedConn) SetDeadline(t time.Time) error {
	if err := b.Conn.SetReadDeadline(t); err != nil {
		return err
	}
	return b.SetWriteDeadline(t)
}

func (b *bufferedConn) SetWriteDeadline(t time.Time) error {
	b.mu.Lock()
	b.setDeadline(t)
	b.mu.Unlock()
	return b.Conn.SetWriteDeadline(t)
}

// setDeadline is called with b.mu held.
func (b *bufferedConn) setDeadline(t time.Time) {
	b.deadline = t
	if b.wake != nil {
		b.wake.Stop()
		b.wake = nil
	}
	if !t.IsZero() {
		b.wake = time.AfterFunc(time.Until(t), b.changed.Broadcast)
	}
	b.changed.Broadcast()
}
