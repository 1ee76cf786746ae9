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

func TestLoad(t *testing.T) {
	for _, tt := range []struct {
		name    string
		a, b    load
		compare int
	}{
		{"nobody is there", load{}, load{}, 0},
		{"fewer visitors", load{visitors: 1}, load{visitors: 2}, -1},
		{"as many, and little traffic", load{1, bulk - 1}, load{1, 0}, 0},
		{"a download", load{1, bulk}, load{100, bulk - 1}, 1},
		{"downloads on both", load{1, 9 * bulk}, load{2, bulk}, -1},
	} {
		if got, back := tt.a.compare(tt.b), tt.b.compare(tt.a); got != tt.compare || back != -tt.compare {
			t.Errorf("%s: %v, and %v the other way round", tt.name, got, back)
		}
	}
}
