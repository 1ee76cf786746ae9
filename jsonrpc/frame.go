package jsonrpc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits of what an editor may send in one frame.
const (
	maxHeader = 4 << 10  // bytes of the header with its final empty line
	maxBody   = 32 << 20 // bytes of the JSON text
	keepBody  = 1 << 20  // a body buffer larger than this is not kept for the next frame
)

// errFraming is matched by every error that says that the peer does not speak the framing of the LSP base protocol.
// After it nothing of the input can be understood.
var errFraming = errors.New("broken framing")

// frameReader reads the frames of the LSP base protocol ("Header Part"). Header names are matched in any case, other
// headers such as Content-Type are ignored, and a bare LF is taken for CRLF. It is a format of a few lines, but
// jsonrpc2's own reader has no limit on headers and allows bodies of 1 GiB.
type frameReader struct {
	in   *bufio.Reader
	body bytes.Buffer
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{in: bufio.NewReaderSize(r, maxHeader)}
}

// next returns the body of the next frame, valid until the following call. The error is io.EOF at the end of the input,
// io.ErrUnexpectedEOF when it ends within a frame, and an errFraming when it is not a frame.
func (r *frameReader) next() ([]byte, error) {
	length, err := r.header()
	if err != nil {
		return nil, err
	}
	if r.body.Cap() > keepBody {
		r.body = bytes.Buffer{}
	}
	r.body.Reset()
	// CopyN grows the buffer by what has arrived, so that a header alone allocates nothing.
	if _, err := io.CopyN(&r.body, r.in, int64(length)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return r.body.Bytes(), nil
}

// header reads up to the empty line and returns the length of the body.
func (r *frameReader) header() (length int, err error) {
	length = -1
	for size := 0; ; {
		line, err := r.in.ReadSlice('\n')
		size += len(line)
		switch {
		case errors.Is(err, bufio.ErrBufferFull), size > maxHeader:
			return 0, fmt.Errorf("%w: header above %d bytes", errFraming, maxHeader)
		case errors.Is(err, io.EOF) && size > 0:
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		if length, err = headerLine(text, length); err != nil {
			return 0, err
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("%w: no Content-Length", errFraming)
	}
	return length, nil
}

// headerLine returns the length after one line, given the length before it (-1: not yet known).
func headerLine(line string, before int) (length int, err error) {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return 0, fmt.Errorf("%w: header line %q", errFraming, clip(line, 80))
	}
	if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
		return before, nil
	}
	number, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: Content-Length %q", errFraming, clip(value, 80))
	case number > maxBody:
		return 0, fmt.Errorf("%w: frame of %d bytes, above %d", errFraming, number, maxBody)
	case before >= 0 && before != int(number):
		return 0, fmt.Errorf("%w: two Content-Lengths", errFraming)
	}
	return int(number), nil
}

// appendFrame appends a frame whose body is appended by body.
func appendFrame(dst []byte, body func([]byte) []byte) []byte {
	const room = len("Content-Length: 12345678901234567890\r\n\r\n")
	start := len(dst)
	dst = body(append(dst, make([]byte, room)...))
	length := len(dst) - start - room
	header := fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", length)
	copy(dst[start:], header)
	copy(dst[start+len(header):], dst[start+room:])
	return dst[:start+len(header)+length]
}
