package jsonrpc

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// maxUnwritten is how many bytes wait for an editor that reads slowly; one frame may exceed it. Beyond that, whoever
// sends waits: requests and answers with their own context, events in the outbox, where newer state replaces older.
const maxUnwritten = 4 << 20

var errWriterClosed = errors.New("connection closed")

// frameWriter is the only way to the editor: frames of many senders, written by one goroutine, which gathers what came
// while it was writing.
type frameWriter struct {
	w    io.Writer
	wake chan struct{} // buffered, 1: there is something to write, or closing
	done chan struct{} // closed when run has ended

	mu      sync.Mutex
	pending []byte        // guarded by mu: frames not yet taken by run
	room    chan struct{} // guarded by mu: closed when run takes pending
	closing bool          // guarded by mu: no more is accepted
	err     error         // guarded by mu: why run ended
}

func newFrameWriter(w io.Writer) *frameWriter {
	return &frameWriter{
		w: w, wake: make(chan struct{}, 1), done: make(chan struct{}), room: make(chan struct{}),
	}
}

// send queues a frame whose body is appended by body and returns its size. It waits only while the queue is full.
func (w *frameWriter) send(ctx context.Context, body func([]byte) []byte) (int, error) {
	for {
		size, room, err := w.offer(body)
		if room == nil {
			return size, err
		}
		select {
		case <-room:
		case <-w.done:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// offer queues a frame, or returns the channel that is closed when there is room again.
func (w *frameWriter) offer(body func([]byte) []byte) (size int, room <-chan struct{}, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.err != nil:
		return 0, nil, w.err
	case w.closing:
		return 0, nil, errWriterClosed
	case len(w.pending) >= maxUnwritten:
		return 0, w.room, nil
	}
	before := len(w.pending)
	w.pending = appendFrame(w.pending, body)
	w.signal()
	return len(w.pending) - before, nil, nil
}

func (w *frameWriter) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run writes until close or until a write fails, which it returns. Closing the connection ends a write that is stuck.
func (w *frameWriter) run() error {
	defer close(w.done)
	var spare []byte
	for range w.wake {
		frames, closing := w.take(spare)
		if len(frames) > 0 {
			if _, err := w.w.Write(frames); err != nil {
				w.fail(err)
				return err
			}
		}
		if closing {
			return nil
		}
		if spare = frames[:0]; cap(spare) > keepBody {
			spare = nil
		}
	}
	return nil
}

// take empties the queue, lets senders go on with spare as its memory, and reports whether this is the last.
func (w *frameWriter) take(spare []byte) (frames []byte, closing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	frames, w.pending = w.pending, spare
	close(w.room)
	w.room = make(chan struct{})
	return frames, w.closing
}

func (w *frameWriter) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

// finish accepts no more and waits until everything is written, at most for patience.
func (w *frameWriter) finish(patience time.Duration) {
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.signal()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.done:
	case <-timer.C:
	}
}
