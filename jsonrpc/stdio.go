package jsonrpc

import (
	"io"
	"os"
	"sync"
)

// Stdio joins a process's standard input and output into the connection that [Server.Serve] wants. Unlike them, it can
// be closed while a Read or a Write is stuck: these return then. The goroutine that is in the system call stays until
// the process ends, which is what comes next.
func Stdio(in io.Reader, out io.Writer) io.ReadWriteCloser {
	return &stdio{in: newHandover(in.Read), out: newHandover(out.Write), closed: make(chan struct{})}
}

type stdio struct {
	in, out *handover
	once    sync.Once
	closed  chan struct{}
}

func (s *stdio) Read(p []byte) (int, error)  { return s.in.do(p, s.closed) }
func (s *stdio) Write(p []byte) (int, error) { return s.out.do(p, s.closed) }

func (s *stdio) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// handover does one Read or Write at a time on a goroutine of its own.
type handover struct {
	call func([]byte) (int, error)
	turn chan struct{} // holds one token while no call is running
}

func newHandover(call func([]byte) (int, error)) *handover {
	h := &handover{call: call, turn: make(chan struct{}, 1)}
	h.turn <- struct{}{}
	return h
}

type ioResult struct {
	n   int
	err error
}

func (h *handover) do(p []byte, closed <-chan struct{}) (int, error) {
	select {
	case <-closed:
		return 0, os.ErrClosed
	case <-h.turn:
	}
	result := make(chan ioResult, 1)
	// Ends when the system call returns; waited for unless the connection is closed. It has a buffer of its own when the
	// caller may be gone before it.
	buffer := append([]byte(nil), p...)
	go func() {
		n, err := h.call(buffer)
		h.turn <- struct{}{}
		result <- ioResult{n, err}
	}()
	select {
	case r := <-result:
		copy(p, buffer[:r.n])
		return r.n, r.err
	case <-closed:
		return 0, os.ErrClosed
	}
}
