package tunnel

import "time"

const (
	paceInterval = 50 * time.Millisecond // between events that go on and on
	paceBurst    = 20                    // events that may come at once after a rest
)

// pace spaces out events that the container causes, after a burst that it does not delay. The zero pace is at rest.
type pace struct {
	rested time.Time // when it is at rest again
}

// next counts an event at now and returns how long the next one is to wait.
func (p *pace) next(now time.Time) time.Duration {
	if p.rested.Before(now) {
		p.rested = now
	}
	p.rested = p.rested.Add(paceInterval)
	return p.rested.Sub(now) - (paceBurst-1)*paceInterval
}
