package ports

import (
	"context"
	"errors"
	"net/http"
	"time"
)

const (
	// heartbeat is how often a stream without events says that it is alive.
	heartbeat = 15 * time.Second
	// writeWithin bounds one write to a stream. A reader that takes nothing for so long
	// is cut off; it holds one goroutine and one message until then, and events only
	// in the log.
	writeWithin = 10 * time.Second
)

// stream writes each change at once, and all that happened together in one write.
func (h handler) stream(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", streamType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // for nginx in between
	out := streamWriter{w, http.NewResponseController(w)}
	if out.send([]byte(": open\n\n")) != nil {
		return
	}
	epoch, seq := parseID(r.Header.Get("Last-Event-ID"))
	for {
		update, err := h.next(r.Context(), epoch, seq)
		msg := []byte(": alive\n\n")
		switch {
		case r.Context().Err() != nil:
			return
		case err == nil:
			epoch, seq = update.Snapshot.Epoch, update.Snapshot.Seq
			if msg, err = encodeUpdate(update); err != nil {
				return // the client reconnects
			}
		}
		if out.send(msg) != nil {
			return
		}
	}
}

// next waits for a change until a heartbeat is due.
func (h handler) next(ctx context.Context, epoch string, seq uint64) (Update, error) {
	ctx, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	return h.log.Wait(ctx, epoch, seq)
}

// encodeUpdate turns what a reader lacks into messages: the events, or else the snapshot.
func encodeUpdate(update Update) ([]byte, error) {
	if len(update.Events) == 0 {
		state := update.Snapshot
		return appendMessage(nil, snapshotEvent, state.Epoch, state.Seq, state)
	}
	var b []byte
	for _, ev := range update.Events {
		var err error
		if b, err = appendMessage(b, string(ev.Type), ev.Epoch, ev.Seq, ev); err != nil {
			return nil, err
		}
	}
	return b, nil
}

type streamWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// send writes and flushes within writeWithin, where the server knows deadlines.
func (s streamWriter) send(b []byte) error {
	err := s.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.rc.Flush()
}
