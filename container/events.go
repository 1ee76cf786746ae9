package container

import (
	"context"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// EventType is what happened to a container.
type EventType string

// Types of events. The last two are about the stream of events itself.
const (
	EventStart   EventType = "start"
	EventDie     EventType = "die"
	EventOOM     EventType = "oom"
	EventPause   EventType = "pause"
	EventUnpause EventType = "unpause"
	EventDestroy EventType = "destroy"

	// EventSubscribed: from here on nothing is missed; whatever was before must be inspected.
	EventSubscribed EventType = "subscribed"
	// EventInterrupted: the stream broke, with Err; EventSubscribed follows when the engine is back.
	EventInterrupted EventType = "interrupted"
)

// Event is one thing that happened to a container.
type Event struct {
	Type     EventType
	ID       string    // of the container
	ExitCode int       // of EventDie
	Time     time.Time // the engine's clock; this machine's for the last two types
	Err      error     // of EventInterrupted
}

const (
	minEventBackoff = 100 * time.Millisecond
	maxEventBackoff = 5 * time.Second
)

// Events yields what happens to a container, beginning with EventSubscribed, until ctx ends or the loop breaks. It
// reconnects for as long as it takes; of a row of failures only the first is told. What the loop's body takes time for
// is buffered by the engine and the connection.
func (e *Engine) Events(ctx context.Context, id string) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		backoff, told := minEventBackoff, false
		for ctx.Err() == nil {
			subscribed, err := e.stream(ctx, id, yield)
			if err == nil {
				return // the loop was left
			}
			if subscribed {
				backoff, told = minEventBackoff, false
			}
			if ctx.Err() != nil {
				return
			}
			if !told && !yield(Event{Type: EventInterrupted, ID: id, Time: time.Now(), Err: err}) {
				return
			}
			told = true
			if !sleep(ctx, backoff) {
				return
			}
			backoff = min(2*backoff, maxEventBackoff)
		}
	}
}

// stream yields events of one connection until it breaks, with an error, or the loop is left, with nil.
func (e *Engine) stream(ctx context.Context, id string, yield func(Event) bool) (subscribed bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	ctx, answered := withAnswered(ctx)
	stream, failed := e.api.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", string(events.ContainerEventType)),
		filters.Arg("container", id),
	)})
	defer func() {
		cancel()
		for range failed { // closed by the client's goroutine as it ends
		}
	}()
	// The client returns as soon as the engine has answered the subscription, or failed to; the failure it tells later.
	if !*answered {
		return false, broken(ctx, <-failed)
	}
	if !yield(Event{Type: EventSubscribed, ID: id, Time: time.Now()}) {
		return true, nil
	}
	for {
		select {
		case m := <-stream:
			if ev, ok := eventOf(m); ok && !yield(ev) {
				return true, nil
			}
		case err := <-failed:
			return true, broken(ctx, err)
		}
	}
}

// broken: the client says nil for a stream that ended in order, which for this one is an interruption too.
func broken(ctx context.Context, err error) error {
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return wrap(ctx, "follow events", err)
}

func eventOf(m events.Message) (Event, bool) {
	ev := Event{Type: EventType(m.Action), ID: m.Actor.ID, Time: time.Unix(0, m.TimeNano)}
	switch ev.Type {
	case EventDie:
		ev.ExitCode, _ = strconv.Atoi(m.Actor.Attributes["exitCode"]) // unknown counts as 0
	case EventStart, EventOOM, EventPause, EventUnpause, EventDestroy:
	default:
		return Event{}, false
	}
	return ev, true
}

// sleep tells whether it slept to the end.
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
