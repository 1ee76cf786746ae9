package tunnel

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestSilenceIsCounted has the link of a process that is not run for most of the time, so that its ticks are few.
func TestSilenceIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &link{raw: &meteredConn{}, dead: make(chan struct{})}
		answered, ticks, ended := make(chan error), make(chan time.Time), make(chan bool, 1)
		go func() { ended <- l.alive(answered, ticks) }()
		tick := func(n int) {
			for range n {
				time.Sleep(time.Hour)
				ticks <- time.Now()
			}
			synctest.Wait()
		}
		tick(probeTicks - 1)
		if len(ended) > 0 {
			t.Fatal("the peer is dead because this process was not run")
		}
		l.raw.arrived.Add(1)
		tick(probeTicks) // the first of which sees that something has arrived
		if len(ended) > 0 {
			t.Fatal("the peer is dead, though something has arrived of it")
		}
		answered <- errors.New("cannot be written to")
		l.raw.arrived.Add(1)
		tick(1)
		if alive := <-ended; alive {
			t.Error("the peer is alive, though it cannot be written to")
		}
	})
}
