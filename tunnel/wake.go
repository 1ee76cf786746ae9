package tunnel

import (
	"context"
	"time"
)

// watchWake calls woke when the machine seems to have slept: the wall clock has gone further than the monotonic one,
// which stands still meanwhile. Timers stand still with it, so that without this a backoff would run on after the
// lid was opened. A clock that was merely set costs one probe.
func watchWake(ctx context.Context, interval time.Duration, wall func() time.Time, woke func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	lastWall, lastMono := wall(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		w, m := wall(), time.Now()
		if w.Sub(lastWall)-m.Sub(lastMono) > 3*interval {
			woke()
		}
		lastWall, lastMono = w, m
	}
}

// wallClock is the time without its monotonic reading.
func wallClock() time.Time { return time.Now().Round(0) }
