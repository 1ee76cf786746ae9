package ports

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"
)

// maxBatch is how many messages that arrived together are delivered as one update.
const maxBatch = 256

var errSilent = errors.New("server is silent")

// stream follows by server-sent events, until the stream ends.
func (f *follower) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(answerWithin, func() { cancel(errSilent) })
	defer watchdog.Stop()
	header := http.Header{"Accept": {streamType}}
	if f.resume {
		header.Set("Last-Event-Id", formatID(f.state.Epoch, f.state.Seq))
	}
	resp, err := f.get(ctx, eventsPath, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != streamType {
		return fmt.Errorf("stream: %w: content type %.80q", errNotOffered, kind)
	}
	heard := false
	r := newMessageReader(resp.Body, func() {
		heard = true
		watchdog.Reset(silentAfter)
	})
	err = f.takeMessages(r)
	if !heard && errors.Is(context.Cause(ctx), errSilent) {
		// Something in between keeps the stream to itself until it ends.
		return fmt.Errorf("stream: %w: %w", errNotOffered, errSilent)
	}
	return fmt.Errorf("stream: %w", err)
}

// takeMessages delivers what has arrived as soon as it has, and returns why it ended.
func (f *follower) takeMessages(r *messageReader) error {
	for batch := 1; ; batch++ {
		msg, err := r.next()
		if err != nil {
			return err
		}
		err = f.takeMessage(msg)
		f.resume = err == nil && f.known
		if err != nil || batch == maxBatch || !r.more() {
			f.flush()
			batch = 0
		}
		if err != nil {
			return err
		}
	}
}

func (f *follower) takeMessage(msg message) error {
	switch msg.name {
	case snapshotEvent:
		state, err := decodeSnapshot(msg.data)
		if err != nil {
			return err
		}
		f.reset(state)
	case string(Opened), string(Closed), string(Updated):
		ev, err := decodeEvent(msg.data)
		if err != nil {
			return err
		}
		return f.apply(ev)
	}
	return nil // a kind that a later version may add
}
