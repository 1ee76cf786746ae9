package session

import (
	"testing"
	"time"
)

// TestPace checks that only success, or time, lets the next attempt run at once.
func TestPace(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var p pace
	if !p.ready(now) || p.due {
		t.Error("the first attempt waits")
	}
	for _, wait := range []time.Duration{pullRetry, 2 * pullRetry, 4 * pullRetry} {
		p.failed(now)
		if !p.due || p.ready(now.Add(wait-1)) || !p.due {
			t.Errorf("tried before %s", wait)
		}
		if now = now.Add(wait); !p.ready(now) || p.due {
			t.Errorf("not tried after %s", wait)
		}
	}
	for range 100 {
		p.failed(now)
	}
	if !p.ready(now.Add(maxRetry)) {
		t.Error("waits for ever")
	}
	p.refused(now)
	if p.due || p.ready(now) || !p.due {
		t.Error("tried at once after the host has refused, or by itself with nothing new")
	}
	if !p.ready(now.Add(pullPause)) {
		t.Error("not tried after a pause")
	}
	p.failed(now)
	p.succeeded()
	if !p.ready(now) {
		t.Error("waits after success")
	}
}
