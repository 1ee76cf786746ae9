package container

import (
	"context"
	"iter"
	"time"
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
	ID       string // of the container
	ExitCode int    // of EventDie
	Time     time.Time
	Err      error // of EventInterrupted
}

// Events yields what happens to a container, beginning with EventSubscribed, until ctx ends or the loop breaks. It
// reconnects for as long as it takes.
func (e *Engine) Events(ctx context.Context, id string) iter.Seq[Event] {
	return func(func(Event) bool) {}
}
