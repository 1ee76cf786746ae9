package session

import "time"

const (
	pullRetry = 2 * time.Second        // after a failure, doubled each time
	maxRetry  = time.Minute            //
	pullPause = 200 * time.Millisecond // after the host has refused
)

// pace says when commits may be brought out again after that has failed, whatever the container says meanwhile: it can name ever new tips, and each
// attempt runs git on the host. Its zero value lets at once.
type pace struct {
	again  time.Duration // after the last failure
	before time.Time     // nothing is tried before
	due    bool          // something is to be tried then
}

// ready reports whether to try now. If not, it is due later.
func (p *pace) ready(now time.Time) bool {
	p.due = now.Before(p.before)
	return !p.due
}

func (p *pace) succeeded() { *p = pace{} }

// failed waits longer each time, and then tries by itself.
func (p *pace) failed(now time.Time) {
	p.again = min(max(2*p.again, pullRetry), maxRetry)
	p.before, p.due = now.Add(p.again), true
}

// refused waits for something to change on the host, which wakes.
func (p *pace) refused(now time.Time) { p.before, p.due = now.Add(pullPause), false }
