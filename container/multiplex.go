package container

import (
	"encoding/binary"
	"fmt"
	"io"
)

// demultiplexer reads the engine's framing of standard output and error (Engine API, ContainerAttach, "Stream
// format"): a stream number, three zero bytes, a big-endian length, the payload. It yields the payloads of both in the
// order of their frames. Frames are not buffered, whatever their length, and a read that was interrupted by a deadline
// can be repeated.
type demultiplexer struct {
	r      io.Reader
	header [8]byte
	have   int    // bytes of header read
	left   uint32 // bytes of the payload to come
}

func (d *demultiplexer) Read(p []byte) (int, error) {
	for d.left == 0 {
		if err := d.next(); err != nil {
			return 0, err
		}
	}
	if int64(len(p)) > int64(d.left) {
		p = p[:d.left]
	}
	n, err := d.r.Read(p)
	d.left -= uint32(n)
	if err == io.EOF && d.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next reads the rest of a header. The stream may end before one, but not in it.
func (d *demultiplexer) next() error {
	for d.have < len(d.header) {
		n, err := d.r.Read(d.header[d.have:])
		d.have += n
		if d.have == len(d.header) {
			break
		}
		if err == io.EOF && d.have > 0 {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	if d.header[0] > 3 || d.header[1]|d.header[2]|d.header[3] != 0 {
		return fmt.Errorf("read engine's stream: bad frame % x", d.header)
	}
	d.have = 0
	d.left = binary.BigEndian.Uint32(d.header[4:])
	return nil
}
