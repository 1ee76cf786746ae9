package sshwire

import (
	"errors"
	"io"
	"sync"
)

// copyBuffer is one read of a relay: eight full packets.
const copyBuffer = 8 * maxPacket

// copyBuffers are shared by all relays of the process; a relay holds one only while it moves bytes.
var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// copyLazily copies src to dst until src ends (nil) or either fails.
func copyLazily(dst io.Writer, src io.Reader) (n int64, err error) {
	read := source(src)
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

// source returns the step of a copy: wait for bytes of src, and write them.
func source(src io.Reader) func(dst io.Writer) (int64, error) {
	return func(dst io.Writer) (int64, error) {
		buf := copyBuffers.Get().(*[copyBuffer]byte)
		defer copyBuffers.Put(buf)
		m, err := src.Read(buf[:])
		if m > 0 {
			if _, werr := dst.Write(buf[:m]); werr != nil {
				return int64(m), werr
			}
		}
		return int64(m), err
	}
}
