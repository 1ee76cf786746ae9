package jsonrpc

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// TestWriterIsBounded checks that a sender waits when the queue is full, gives up with its context, and goes on when
// there is room.
func TestWriterIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		reader, pipe := io.Pipe()
		writer := newFrameWriter(pipe)
		ran := make(chan error, 1)
		go func() { ran <- writer.run() }()
		megabyte := func(dst []byte) []byte { return append(dst, make([]byte, 1<<20)...) }
		sent := 0
		for {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := writer.send(ctx, megabyte)
			cancel()
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				break
			}
			sent++
			synctest.Wait()
		}
		if limit := maxUnwritten>>20 + 2; sent > limit {
			t.Errorf("%d MiB were taken, more than %d", sent, limit)
		}
		go func() { _, _ = io.Copy(io.Discard, reader) }()
		if _, err := writer.send(t.Context(), megabyte); err != nil {
			t.Errorf("send() = %v, with room", err)
		}
		writer.finish(time.Second)
		if err := <-ran; err != nil {
			t.Errorf("run() = %v", err)
		}
		if _, err := writer.send(t.Context(), megabyte); !errors.Is(err, errWriterClosed) {
			t.Errorf("send() = %v, after finish", err)
		}
		if err := pipe.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestWriterFails checks that whoever waits for room learns that the connection broke.
func TestWriterFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		reader, pipe := io.Pipe()
		writer := newFrameWriter(pipe)
		ran := make(chan error, 1)
		go func() { ran <- writer.run() }()
		waiting := make(chan error, 1)
		go func() {
			for {
				if _, err := writer.send(t.Context(), func(dst []byte) []byte { return append(dst, make([]byte, 1<<20)...) }); err != nil {
					waiting <- err
					return
				}
			}
		}()
		time.Sleep(time.Second)
		if err := reader.CloseWithError(errBroken); err != nil {
			t.Fatal(err)
		}
		if err := <-waiting; !errors.Is(err, errBroken) {
			t.Errorf("send() = %v", err)
		}
		if err := <-ran; !errors.Is(err, errBroken) {
			t.Errorf("run() = %v", err)
		}
	})
}
