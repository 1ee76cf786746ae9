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
//
// While nobody reads, the Monitor rests after a while; who reads then waits for a scan.
type Log struct {
	epoch  string
	size   int
	wanted chan struct{} // holds one wish of a reader to have the state kept again

	mu      sync.Mutex    // guards the fields below
	ready   chan struct{} // closed while the state is kept: after the first scan, and not at rest
	resting bool
	readers int           // calls of Snapshot and Wait under way
	read    time.Time     // when the last one ended
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
	return &Log{
		epoch: rand.Text(), size: size, wanted: make(chan struct{}, 1),
		ready: make(chan struct{}), read: time.Now(), changed: make(chan struct{}),
	}
}

// Snapshot returns the current state. It waits for a scan where none keeps the state true,
// and fails only when ctx ends before that.
func (l *Log) Snapshot(ctx context.Context) (Snapshot, error) {
	defer l.end()
	if err := awaitReady(ctx, l.begin()); err != nil {
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
	defer l.end()
	if err := awaitReady(ctx, l.begin()); err != nil {
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

// begin counts a reader, which has to wait for the channel that is returned.
func (l *Log) begin() (ready <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers++
	if l.resting {
		select {
		case l.wanted <- struct{}{}:
		default: // somebody else's wish is still there
		}
	}
	return l.ready
}

// Readers counts the calls of Snapshot and Wait that are under way. Whoever follows the log is nearly always in one. Safe for concurrent use.
func (l *Log) Readers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readers
}

func (l *Log) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers--
	l.read = time.Now()
}

// rest says whether nobody has read for a while; then what the log has is out of date until
// the next call of fresh, which somebody wants when awaitReader returns.
func (l *Log) rest(after time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readers > 0 || time.Since(l.read) < after {
		return false
	}
	select {
	case <-l.wanted: // from an earlier rest
	default:
	}
	l.resting, l.ready = true, make(chan struct{})
	return true
}

// awaitReader waits until somebody reads; false means that ctx has ended.
func (l *Log) awaitReader(ctx context.Context) bool {
	select {
	case <-l.wanted:
		return true
	case <-ctx.Done():
		return false
	}
}

// fresh says that the state is as true as a scan can make it.
func (l *Log) fresh() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.resting {
		l.resting = false
		close(l.ready)
	}
}

// awaitReady succeeds where the log is ready, even if ctx has ended: a long poll that does
// not want to wait gets what there is.
func awaitReady(ctx context.Context, ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	default:
	}
	select {
	case <-ready:
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
