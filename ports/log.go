package ports

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"
)

// defaultLogSize is how many opened and closed events a Log keeps.
const defaultLogSize = 100

// A Log holds the published state and the last events. One Monitor writes it; any
// number of readers wait on it. A reader costs nothing while it waits and owns no
// queue: one that falls behind by more than the log holds gets the whole state.
type Log struct {
	epoch string
	size  int
	ready chan struct{} // closed when the first scan is in

	mu      sync.Mutex    // guards the fields below
	state   Snapshot      // replaced whole; its slices are never modified
	events  []Event       // oldest first, without gaps up to state.Seq
	plain   int           // how many of events are no updates
	lost    time.Time     // Timestamp of the newest opened or closed event that fell out
	changed chan struct{} // closed and replaced at each publication
}

// NewLog returns an empty log that keeps the last size opened and closed events,
// 100 if size is not positive.
func NewLog(size int) *Log {
	if size <= 0 {
		size = defaultLogSize
	}
	return &Log{epoch: rand.Text(), size: size, ready: make(chan struct{}), changed: make(chan struct{})}
}

// Snapshot returns the current state. It waits for the first scan, and fails only when
// ctx ends before that.
func (l *Log) Snapshot(ctx context.Context) (Snapshot, error) {
	if err := l.awaitReady(ctx); err != nil {
		return Snapshot{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, nil
}

// Wait returns as soon as the state differs from what a reader at (epoch, seq)
// has: at once when it is behind already, else at the next change. Events are those
// after seq; none means that the reader has to take the snapshot as it is, since the
// epoch is another one (a new reader says "") or since it fell behind the log.
func (l *Log) Wait(ctx context.Context, epoch string, seq uint64) (Update, error) {
	if err := l.awaitReady(ctx); err != nil {
		return Update{}, err
	}
	for {
		update, changed := l.after(epoch, seq)
		if changed == nil {
			return update, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Update{}, ctx.Err()
		}
	}
}

// awaitReady succeeds where the first scan is in, even if ctx has ended: a long poll that
// does not want to wait gets what there is.
func (l *Log) awaitReady(ctx context.Context) error {
	select {
	case <-l.ready:
		return nil
	default:
	}
	select {
	case <-l.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// after returns what a reader at (epoch, seq) lacks, or else the channel that is closed
// when there is something.
func (l *Log) after(epoch string, seq uint64) (Update, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	behind := l.state.Seq - seq
	switch {
	case epoch != l.epoch || seq > l.state.Seq || behind > uint64(len(l.events)):
		return Update{Snapshot: l.state}, nil
	case behind == 0:
		return Update{}, l.changed
	}
	return Update{Snapshot: l.state, Events: slices.Clone(l.events[len(l.events)-int(behind):])}, nil
}

// since returns the opened and closed events strictly after t, and whether some of those
// have fallen out of the log.
func (l *Log) since(t time.Time) (events []Event, overrun bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events = []Event{}
	for _, ev := range l.events {
		if ev.Type != Updated && ev.Timestamp.After(t) {
			events = append(events, ev)
		}
	}
	return events, l.lost.After(t)
}

// prime puts in the state before the first event and lets readers begin.
func (l *Log) prime(ports []Port, ephemeral [2]uint16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = Snapshot{Epoch: l.epoch, Ports: ports, Ephemeral: ephemeral}
	close(l.ready)
}

// append publishes events, oldest first, and the state after them.
func (l *Log) append(events []Event, ports []Port) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ev := range events {
		l.state.Seq++
		ev.Seq, ev.Epoch = l.state.Seq, l.epoch
		l.events = append(l.events, ev)
		if ev.Type != Updated {
			l.plain++
		}
	}
	l.state.Ports = ports
	l.trim()
	close(l.changed)
	l.changed = make(chan struct{})
}

// trim keeps size opened and closed events, and updates within as much again.
func (l *Log) trim() {
	drop := 0
	for ; l.plain > l.size || len(l.events)-drop > 2*l.size; drop++ {
		if ev := l.events[drop]; ev.Type != Updated {
			l.plain--
			l.lost = ev.Timestamp
		}
	}
	l.events = slices.Delete(l.events, 0, drop)
}
