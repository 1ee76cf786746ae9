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
	if f.known && f.state.Epoch != "" {
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
// the server remembers, a hundred events, and finds the place where it stopped by the last
// event that it knows: with ?since=, times that were cut to seconds repeat events,
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
	fresh := events
	if len(f.seen) > 0 {
		last := f.seen[len(f.seen)-1]
		known := slices.IndexFunc(events, func(ev Event) bool {
			return ev.Type == last.Type && ev.Port == last.Port && ev.Timestamp.Equal(last.Timestamp)
		})
		fresh = events[known+1:]
	}
	for _, ev := range fresh {
		f.foldPlain(ev)
	}
	f.seen = events
	return nil
}
