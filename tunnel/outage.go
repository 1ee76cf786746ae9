package tunnel

import (
	"errors"
	"net"
	"time"
)

// outage is the bookkeeping of redialling: how long it has been going on, and how long to wait. It belongs to the
// goroutine of Conn.Run.
type outage struct {
	cfg      ConnConfig
	usual    Phase // while the outage is short
	since    time.Time
	attempts int  // begun
	atOnce   bool // the next attempt needs no wait
	backoff  time.Duration
	err      error // the last
}

// steady is how long a connection must have lived for its loss to be redialled without delay. A peer that accepts and
// fails at once is backed off from as one that does not answer.
const steady = 5 * time.Second

func newOutage(cfg ConnConfig) *outage {
	return &outage{cfg: cfg, usual: Connecting, since: time.Now()}
}

// restart begins the outage that follows a connection which lived for up.
func (o *outage) restart(up time.Duration) {
	o.usual, o.since, o.attempts = Reconnecting, time.Now(), 0
	o.atOnce = up >= steady
	if o.atOnce {
		o.backoff = 0
	}
}

// kick forgets how long the outage has lasted, and why.
func (o *outage) kick() {
	o.since, o.attempts, o.backoff, o.err = time.Now(), 0, 0, nil
}

// final reports that trying again by itself makes no sense.
func (o *outage) final() bool { return errors.Is(o.err, ErrHostKey) }

func (o *outage) lost() bool { return o.final() || time.Since(o.since) >= o.cfg.LostAfter }

// timedOut reports that nothing was heard at the last attempt.
func (o *outage) timedOut() bool {
	timeout, ok := errors.AsType[net.Error](o.err)
	return ok && timeout.Timeout()
}

func (o *outage) state() State {
	s := State{Phase: o.usual, Attempt: max(o.attempts, 1), Err: o.err}
	if o.lost() {
		s.Phase = Lost
	}
	return s
}

// wait is the time until the next attempt; negative means for ever.
func (o *outage) wait() time.Duration {
	switch {
	case o.final():
		return -1
	case o.lost() && !o.timedOut():
		// What fails at once is told to be over, by a Kick. The end of a silence nobody tells: there the attempts, which last long enough,
		// follow one another.
		return o.cfg.LostInterval
	case o.atOnce:
		o.atOnce = false
		return 0
	}
	o.backoff = min(max(2*o.backoff, o.cfg.BackoffMin), o.cfg.BackoffMax)
	return o.backoff
}
