package sshwire

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// maxPacket keeps a whole data packet below Go's largest small object (32 KiB), so that the receiver's copy of each is
// pooled by the allocator instead of being a large object.
const maxPacket = 32752

// Stream is an SSH channel that carries bytes only, as a HalfCloser that tells a reset from an end.
type Stream struct {
	ch     ssh.Channel
	conn   net.Conn
	done   chan struct{}
	reset  atomic.Bool
	closed atomic.Bool
	guard  atomic.Pointer[time.Timer]
	note   func(*ssh.Request)
}

// NewStream takes over ch and its requests: it notes RequestAbort and refuses every other. conn is the transport under
// ch, from Buffer; when that breaks, the stream's end is a reset. The goroutine ends when the channel closes. The
// extended stream (standard error) is left unread.
func NewStream(ch ssh.Channel, requests <-chan *ssh.Request, conn net.Conn) *Stream {
	return NewNotingStream(ch, requests, conn, func(*ssh.Request) {})
}

// NewNotingStream is NewStream that shows note each request, in order, before it is answered. The last call of note has
// returned when Done is closed.
func NewNotingStream(ch ssh.Channel, requests <-chan *ssh.Request, conn net.Conn, note func(*ssh.Request)) *Stream {
	s := &Stream{ch: ch, conn: conn, done: make(chan struct{}), note: note}
	// Ended by the channel's close, at the latest when the connection ends; nobody waits.
	go s.serve(requests)
	return s
}

func (s *Stream) serve(requests <-chan *ssh.Request) {
	defer s.confirmed()
	for req := range requests {
		s.note(req)
		abort := req.Type == RequestAbort
		if abort {
			s.reset.Store(true)
		}
		req.Reply(abort, nil) // an error here is the end of the connection, which ends the loop
	}
}

func (s *Stream) confirmed() {
	close(s.done)
	if t := s.guard.Load(); t != nil {
		t.Stop()
	}
}

// Guard is called before Close or Abort: when the peer has not confirmed the close after d, it calls fail. A confirmed
// close leaves no timer behind, which would keep the memory of every short connection for d.
func (s *Stream) Guard(d time.Duration, fail func()) {
	t := time.AfterFunc(d, func() {
		select {
		case <-s.done:
		default:
			fail()
		}
	})
	if !s.guard.CompareAndSwap(nil, t) {
		t.Stop()
		return
	}
	select {
	case <-s.done: // perhaps before the timer could be seen
		t.Stop()
	default:
	}
}

// Done is closed when both ends have closed the channel, or the connection has ended.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Read reads from the peer. When the peer aborted, or the connection broke, the error is syscall.ECONNRESET instead of
// io.EOF.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.ch.Read(p)
	if errors.Is(err, io.EOF) && (s.reset.Load() || broken(s.conn)) {
		err = syscall.ECONNRESET
	}
	return n, err
}

// Write writes to the peer in packets of at most 32752 bytes. It fails with syscall.EPIPE when the peer has closed.
func (s *Stream) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		m, err := s.ch.Write(p[:min(len(p), maxPacket)])
		n, p = n+m, p[m:]
		if errors.Is(err, io.EOF) {
			return n, syscall.EPIPE
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Request sends a channel request and reports whether the peer accepted it. It waits for the answer, at the longest until
// the channel ends, which is an error.
func (s *Stream) Request(name string, payload []byte) (bool, error) {
	return s.ch.SendRequest(name, true, payload)
}

// CloseWrite tells the peer that nothing more is written, and leaves reading open.
func (s *Stream) CloseWrite() error {
	err := s.ch.CloseWrite()
	if errors.Is(err, io.EOF) {
		return nil // the peer has closed the channel and needs no telling
	}
	return err
}

// Close closes the channel. A pending Read or Write ends when the peer confirms, or when the connection ends.
func (s *Stream) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if err := s.ch.Close(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil // the peer was first
}

// Abort closes the channel so that a peer of ours sees a reset. It waits for one round trip.
func (s *Stream) Abort() error {
	if s.closed.Load() {
		return nil
	}
	// The reply means that the peer has noted it before it sees the close. Others refuse, and a dead connection fails:
	// closing is right in any case.
	s.ch.SendRequest(RequestAbort, true, nil)
	return s.Close()
}
