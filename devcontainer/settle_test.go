package devcontainer

import (
	"testing"
	"time"
)

func TestSettle(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	tests := []struct {
		name    string
		touches []time.Duration
		want    time.Duration // when it is told
	}{
		{"one change", []time.Duration{0}, 100 * ms},
		{"a burst", []time.Duration{0, 10 * ms, 90 * ms}, 190 * ms},
		{"without a pause", []time.Duration{0, 400 * ms, 800 * ms, 950 * ms}, 1000 * ms},
		{"told late", []time.Duration{0, 2000 * ms}, 2000 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			s := settle{first: start.Add(-time.Hour)}
			s.told()
			var due time.Time
			for _, at := range tt.touches {
				now := start.Add(at)
				due = now.Add(s.touch(now))
			}
			if got := due.Sub(start); got != tt.want {
				t.Errorf("told after %v, want %v", got, tt.want)
			}
		})
	}
}
