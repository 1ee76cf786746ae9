package acp

import (
	"bytes"
	"errors"
	"io"
)

// maxLine is how long a message may be, in bytes: a prompt with pictures is the longest.
const maxLine = 32 << 20

var errLongLine = errors.New("a message is longer than 32 MiB")

// limitedLines ends a connection on which a line has no end.
type limitedLines struct {
	io.ReadWriteCloser
	length int // of the line so far
}

func newLimitedLines(rw io.ReadWriteCloser) *limitedLines { return &limitedLines{ReadWriteCloser: rw} }

func (l *limitedLines) Read(p []byte) (int, error) {
	n, err := l.ReadWriteCloser.Read(p)
	if i := bytes.LastIndexByte(p[:n], '\n'); i >= 0 {
		l.length = n - i - 1
	} else if l.length += n; l.length > maxLine {
		return 0, errLongLine
	}
	return n, err
}
