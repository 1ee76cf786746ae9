package conversation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The stream is server-sent events as in the HTML standard, section 9.2.
const (
	streamType   = "text/event-stream"
	beginEvent   = "begin"
	statusEvent  = "status"
	messageEvent = "message"
)

const (
	// pace is the shortest time between two looks at what has changed: the text of an answer that arrives token by token is sent
	// about 20 times a second. What happens after a quiet time is sent at once.
	pace = 50 * time.Millisecond
	// heartbeat is how often a stream without events says that it is alive.
	heartbeat = 15 * time.Second
	// writeWithin bounds one write. A reader that takes nothing for so long is cut off.
	writeWithin = 10 * time.Second
)

// begin is the body of the first event.
type begin struct {
	Epoch string `json:"epoch"`
	More  bool   `json:"more,omitzero"` // there are earlier messages, which the stream leaves out
}

func (h handler) stream(w http.ResponseWriter, r *http.Request) {
	after, limit, ok := place(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", streamType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // for nginx in between
	out := eventWriter{w: w, rc: http.NewResponseController(w)}
	page, version := h.conversation.latest(r.URL.Query().Get("epoch"), after, limit)
	out.event(beginEvent, 0, begin{Epoch: page.Epoch, More: page.More})
	out.event(statusEvent, 0, page.Status)
	for _, m := range page.Messages {
		out.event(messageEvent, m.Seq, m)
	}
	if out.send() != nil {
		return
	}
	for {
		news, err := h.next(r.Context(), version)
		switch {
		case r.Context().Err() != nil:
			return
		case err != nil:
			out.buf = append(out.buf, ": alive\n\n"...)
		default:
			version = news.version
			out.news(news)
		}
		if out.send() != nil || !sleep(r.Context(), pace) {
			return
		}
	}
}

// next waits for a change until a heartbeat is due.
func (h handler) next(ctx context.Context, version uint64) (change, error) {
	timer := time.NewTimer(heartbeat)
	defer timer.Stop()
	for {
		news, changed := h.conversation.since(version)
		if changed == nil {
			return news, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return change{}, context.DeadlineExceeded
		case <-ctx.Done():
			return change{}, ctx.Err()
		}
	}
}

// eventWriter collects events and writes them at once.
type eventWriter struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	buf []byte
	err error
}

func (o *eventWriter) news(news change) {
	for _, m := range news.messages {
		o.event(messageEvent, m.Seq, m)
	}
	if news.status != nil {
		o.event(statusEvent, 0, *news.status)
	}
}

// event adds one event. JSON has no line breaks outside of strings and escapes those inside, so that data is a single line.
func (o *eventWriter) event(name string, id int64, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		o.err = fmt.Errorf("encode %s: %w", name, err)
		return
	}
	o.buf = fmt.Appendf(o.buf, "event: %s\n", name)
	if id != 0 {
		o.buf = fmt.Appendf(o.buf, "id: %d\n", id)
	}
	o.buf = fmt.Appendf(o.buf, "data: %s\n\n", data)
	if len(o.buf) > 1<<20 {
		o.err = errors.Join(o.err, o.send())
	}
}

// send writes and flushes within writeWithin, where the server knows deadlines.
func (o *eventWriter) send() error {
	if o.err != nil {
		return o.err
	}
	err := o.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := o.w.Write(o.buf); err != nil {
		return err
	}
	o.buf = o.buf[:0]
	return o.rc.Flush()
}

// sleep returns false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
