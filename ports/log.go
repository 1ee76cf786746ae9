package ports

import (
	"context"
	"crypto/rand"
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

	mu      sync.Mutex    // guards the fields below
	state   Snapshot      // replaced whole; its slices are never modified
	events  []Event       // oldest first, Seq without gaps up to state.Seq
	lost    time.Time     // Timestamp of the newest event that fell out
	primed  bool          // the first scan is in
	changed chan struct{} // closed and replaced at each publication
}

// NewLog returns an empty log that keeps the last size opened and closed events,
// 100 if size is not positive.
func NewLog(size int) *Log {
	if size <= 0 {
		size = defaultLogSize
	}
	return &Log{epoch: rand.Text(), size: size, changed: make(chan struct{})}
}

// Snapshot returns the current state. It waits for the first scan.
func (l *Log) Snapshot(ctx context.Context) (Snapshot, error) {
	panic("unwritten")
}

// Wait returns as soon as the state differs from what a reader at (epoch, seq)
// has: at once when it is behind already, else at the next change. Events are those
// after seq; none means that the reader has to take the snapshot as it is, since the
// epoch is another one (a new reader says "") or since it fell behind the log.
func (l *Log) Wait(ctx context.Context, epoch string, seq uint64) (Update, error) {
	panic("unwritten")
}
