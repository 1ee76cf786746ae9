package ports

import "time"

const (
	defaultActive = 25 * time.Millisecond
	defaultIdle   = 250 * time.Millisecond

	// activeFor is how long after the last sign of activity scans stay frequent: a
	// server starts some seconds after the command that starts it, and one change
	// is often followed by others.
	activeFor = 10 * time.Second
	// Scans take at most one part in so many of the time, where that makes them
	// rarer than the interval: netlink never does, /proc/net does.
	activeShare, idleShare = 50, 300
	maxInterval            = 2 * time.Second
	// restAfter is how long nobody has to read for the monitor to rest: several of the
	// polls that readers make who can do nothing better.
	restAfter = 35 * time.Second
	// A pushed close is served at once, but a flood of them only so often.
	minGap   = 5 * time.Millisecond
	gapShare = 10
)

// A cadence decides when to scan next.
type cadence struct {
	active, idle time.Duration
	lastActive   time.Time
	interval     time.Duration
	cost         time.Duration // what a scan takes
}

// scanned notes a scan that took cost, and whether something is going on. The cost
// falls at once and rises slowly: on a busy machine a scan that was preempted must not
// delay the next one.
func (c *cadence) scanned(now time.Time, cost time.Duration, active bool) {
	c.cost = min(cost, c.cost+c.cost/4+20*time.Microsecond)
	if active {
		c.lastActive = now
	}
	if now.Sub(c.lastActive) < activeFor {
		c.interval = c.active
	} else {
		c.interval = min(2*c.interval, c.idle)
	}
}

// next is the time from this scan to the next one.
func (c *cadence) next() time.Duration {
	if c.interval <= c.active {
		return max(c.interval, min(c.cost*activeShare, maxInterval))
	}
	return max(c.interval, min(c.cost*idleShare, maxInterval))
}

// gap is the least time between this scan and one that was asked for.
func (c *cadence) gap() time.Duration {
	return min(max(minGap, c.cost*gapShare), c.next())
}
