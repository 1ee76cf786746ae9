package ports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

const (
	longPollWait = 30 * time.Second
	// longPollGap is the least time from one long poll to the next, for servers that
	// answer at once whatever we ask.
	longPollGap = 20 * time.Millisecond
)

// longPoll follows by requests that the server holds until something happens.
func (f *follower) longPoll(ctx context.Context) error {
	for end := time.Now().Add(probeAfter); time.Now().Before(end); {
		again := time.Now().Add(longPollGap)
		body, err := f.getBody(ctx, f.longPollPath(), longPollWait+answerWithin)
		if err != nil {
			return fmt.Errorf("long poll: %w", err)
		}
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
			return fmt.Errorf("long poll: %w", errNotOffered)
		}
		update, err := decodeUpdate(body)
		if err != nil {
			return fmt.Errorf("long poll: %w", err)
		}
		f.advance(update)
		f.resume = true
		f.flush()
		if !sleep(ctx, time.Until(again)) {
			return ctx.Err()
		}
	}
	return nil
}

// longPollPath asks for the whole state at once where there is none yet.
func (f *follower) longPollPath() string {
	query := url.Values{"after": {"0"}}
	if f.state.Epoch != "" {
		query.Set("after", fmt.Sprint(f.state.Seq))
		query.Set("epoch", f.state.Epoch)
		query.Set("wait", longPollWait.String())
	}
	return eventsPath + "?" + query.Encode()
}

// poll follows by asking for the state from time to time, or for the events where the
// server has no state to offer.
func (f *follower) poll(ctx context.Context) error {
	for end := time.Now().Add(probeAfter); time.Now().Before(end); {
		err := f.pollState(ctx)
		if errors.Is(err, errNotOffered) {
			err = f.pollEvents(ctx)
		}
		if err != nil {
			return fmt.Errorf("poll: %w", err)
		}
		f.flush()
		if !sleep(ctx, f.cfg.PollInterval) {
			return ctx.Err()
		}
	}
	return nil
}

func (f *follower) pollState(ctx context.Context) error {
	body, err := f.getBody(ctx, snapshotPath, answerWithin)
	if err != nil {
		return err
	}
	state, err := decodeSnapshot(body)
	if err != nil {
		return err
	}
	f.reset(state)
	f.resume = true
	return nil
}

// pollEvents folds the plain array of a server like Sketch's. It always asks for all that
// the server remembers, a hundred events, and finds the place where it stopped by those
// that it knows: with ?since=, times that were cut to seconds repeat events,
// and a clock that is set back loses them. Such a server cannot tell that it has
// forgotten events or started anew; then every event counts as a new one.
func (f *follower) pollEvents(ctx context.Context) error {
	body, err := f.getBody(ctx, eventsPath, answerWithin)
	if err != nil {
		return err
	}
	events, err := decodeEvents(body)
	if err != nil {
		return err
	}
	if !f.known || f.state.Epoch != "" {
		f.reset(Snapshot{Ports: []Port{}})
		f.resume, f.seen = false, nil
	}
	for _, ev := range freshEvents(f.seen, events) {
		f.foldPlain(ev)
	}
	f.seen = events
	return nil
}

// freshEvents returns what is new in an array, which begins with what is left of the one
// before. One known event would not tell the place: within a second a port that is
// opened twice looks the same both times.
func freshEvents(seen, events []Event) []Event {
	alike := func(a, b Event) bool {
		return a.Type == b.Type && a.Port == b.Port && a.Timestamp.Equal(b.Timestamp)
	}
	for ; len(seen) > 0; seen = seen[1:] {
		if n := len(seen); n <= len(events) && slices.EqualFunc(seen, events[:n], alike) {
			return events[n:]
		}
	}
	return events
}
