package tunnel

import (
	"sync"
	"time"
)

// trafficInterval is what traffic counts by.
const trafficInterval = 100 * time.Millisecond

// traffic counts the bytes of a connection in both directions, of this interval and of the one before. The zero traffic is none.
type traffic struct {
	mu       sync.Mutex // guards what follows
	interval int64      // which one
	bytes    uint64     // in it
	before   uint64     // in the one before
}

func (t *traffic) add(now time.Time, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advance(now)
	t.bytes += uint64(n)
}

// recent is what went over the connection in the last 100 to 200 ms.
func (t *traffic) recent(now time.Time) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advance(now)
	return t.bytes + t.before
}

// advance is called with t.mu held. A clock that is set back begins anew.
func (t *traffic) advance(now time.Time) {
	switch interval := now.UnixNano() / int64(trafficInterval); interval - t.interval {
	case 0:
	case 1:
		t.interval, t.bytes, t.before = interval, 0, t.bytes
	default:
		t.interval, t.bytes, t.before = interval, 0, 0
	}
}
