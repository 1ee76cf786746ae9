package tunnel

import (
	"testing"
	"time"
)

func TestTraffic(t *testing.T) {
	var c traffic
	start := time.Unix(1_000_000, 0)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	c.add(at(0), 100)
	c.add(at(99*time.Millisecond), 10)
	c.add(at(100*time.Millisecond), 1)
	for _, tt := range []struct {
		after time.Duration
		want  uint64
	}{
		{100 * time.Millisecond, 111},
		{199 * time.Millisecond, 111},
		{200 * time.Millisecond, 1},
		{300 * time.Millisecond, 0},
		{time.Hour, 0},
		{time.Minute, 0}, // the clock was set back
	} {
		if got := c.recent(at(tt.after)); got != tt.want {
			t.Errorf("after %v: %d bytes, want %d", tt.after, got, tt.want)
		}
	}
}

func TestQuieter(t *testing.T) {
	for _, tt := range []struct {
		name       string
		side, main load
		want       bool
	}{
		{"nobody is there", load{}, load{}, true},
		{"fewer on the main", load{visitors: 2}, load{visitors: 1}, false},
		{"fewer on the side", load{visitors: 1}, load{visitors: 2}, true},
		{"a download on the side", load{1, bulk}, load{100, bulk - 1}, false},
		{"a download on the main", load{100, 0}, load{1, bulk}, true},
		{"downloads on both", load{1, bulk}, load{2, 9 * bulk}, true},
	} {
		if got := quieter(tt.side, tt.main); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
