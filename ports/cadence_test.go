package ports

import (
	"testing"
	"time"
)

func TestCadence(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	quick := 100 * time.Microsecond
	for _, tt := range []struct {
		name   string
		quiet  time.Duration // before the scans
		cost   time.Duration
		active bool
		scans  int
		want   time.Duration
		gap    time.Duration
	}{
		{name: "active", active: true, cost: quick, scans: 1, want: 25 * ms, gap: 5 * ms},
		{name: "soon after", quiet: 9 * time.Second, cost: quick, scans: 1, want: 25 * ms, gap: 5 * ms},
		{name: "backs off", quiet: 11 * time.Second, cost: quick, scans: 1, want: 50 * ms, gap: 5 * ms},
		{name: "backs off more", quiet: 11 * time.Second, cost: quick, scans: 2, want: 100 * ms, gap: 5 * ms},
		{name: "idle", quiet: 11 * time.Second, cost: quick, scans: 9, want: 250 * ms, gap: 5 * ms},
		{name: "one slow scan does not count", active: true, cost: 80 * ms, scans: 1, want: 25 * ms, gap: 5 * ms},
		{name: "slow scans are rarer", active: true, cost: 7 * ms, scans: 100, want: 350 * ms, gap: 70 * ms},
		{name: "slow scans are rare when idle", quiet: time.Hour, cost: 7 * ms, scans: 100, want: 2 * time.Second, gap: 70 * ms},
		{name: "but not too rare", active: true, cost: time.Second, scans: 100, want: 2 * time.Second, gap: 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			c := cadence{active: defaultActive, idle: defaultIdle, interval: defaultActive, lastActive: now}
			for range tt.scans {
				c.scanned(now.Add(tt.quiet), tt.cost, tt.active)
			}
			if got := c.next(); got != tt.want {
				t.Errorf("next scan after %v, want %v", got, tt.want)
			}
			if got := c.gap(); got != tt.gap {
				t.Errorf("asked-for scan after %v, want %v", got, tt.gap)
			}
		})
	}
}

func TestCostFallsAtOnce(t *testing.T) {
	t.Parallel()
	var c cadence
	for range 100 {
		c.scanned(time.Now(), 10*time.Millisecond, true)
	}
	c.scanned(time.Now(), time.Microsecond, true)
	if c.cost != time.Microsecond {
		t.Errorf("cost %v after a cheap scan", c.cost)
	}
}
