package sshwire

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	// copyBuffer is one read of a relay: eight full packets.
	copyBuffer = 8 * maxPacket
	// probeSize is the read that a relay waits in where readiness cannot be had. What fits is passed on from there.
	probeSize = 1 << 10
)

// copyBuffers are shared by all relays of the process. A relay holds one only while it moves bytes, so that thousands of
// idle connections cost no buffers.
var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// copyLazily copies src to dst until src ends (nil) or either fails.
func copyLazily(dst io.Writer, src io.Reader) (n int64, err error) {
	read := probing(src)
	if c, ok := src.(syscall.Conn); ok {
		if r, err := whenReady(c); err == nil {
			read = r
		}
	}
	for {
		m, err := read(dst)
		n += m
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// A step waits for bytes of a source, writes them to dst, and returns how many. It is io.EOF at the source's end.
type step func(dst io.Writer) (int64, error)

// probing returns the step for a source whose only way to wait is Read: a small read, and when that comes back full,
// which means that more is there, large ones. A transfer keeps its buffer for as long as they bring whole packets, where
// there is one to keep: else each piece of it would be written as a small one and a large one.
func probing(src io.Reader) step {
	var probe [probeSize]byte
	return func(dst io.Writer) (int64, error) {
		n, err := pass(dst, src, probe[:])
		if err != nil || n < probeSize {
			return n, err
		}
		buf := copyBuffers.Get().(*[copyBuffer]byte)
		defer copyBuffers.Put(buf)
		m, err := pass(dst, src, buf[:])
		n += m
		if !takeKept() {
			return n, err
		}
		defer kept.Add(-1)
		for last := n; err == nil && last >= maxPacket; n += last {
			last, err = pass(dst, src, buf[:])
		}
		return n, err
	}
}

// maxKept bounds the buffers that wait in a read, because their transfers stall: 16 MiB for the process.
const maxKept = 64

var kept atomic.Int32

func takeKept() bool {
	if kept.Add(1) <= maxKept {
		return true
	}
	kept.Add(-1)
	return false
}

// pass makes one read and writes what came.
func pass(dst io.Writer, src io.Reader, buf []byte) (int64, error) {
	n, err := src.Read(buf)
	if n > 0 {
		if w, werr := dst.Write(buf[:n]); werr != nil {
			return int64(w), werr
		}
	}
	return int64(n), err
}
