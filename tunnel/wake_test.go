package tunnel

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestConnRedialsWhenTheMachineWakes: not at the end of an interval that the clock of timers knows nothing of.
func TestConnRedialsWhenTheMachineWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slept, dials atomic.Int64
		c := NewConn(ConnConfig{
			LostAfter: 10 * time.Second, LostInterval: time.Hour,
			Dial: func(context.Context) (net.Conn, error) { dials.Add(1); return nil, syscall.ECONNREFUSED },
		})
		c.wall = func() time.Time { return wallClock().Add(time.Duration(slept.Load())) }
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		time.Sleep(time.Minute)
		if s := c.State(); s.Phase != Lost {
			t.Errorf("state %+v, want lost", s)
		}
		before := dials.Load()
		slept.Store(int64(8 * time.Hour))
		time.Sleep(2 * time.Second)
		if dials.Load() == before || c.State().Phase == Lost {
			t.Errorf("%d dials two seconds after the sleep, state %+v", dials.Load()-before, c.State())
		}
		cancel()
		<-ended
	})
}

func TestWatchWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slept atomic.Int64 // what the wall clock is ahead
		var woken atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			wall := func() time.Time { return time.Now().Round(0).Add(time.Duration(slept.Load())) }
			watchWake(ctx, time.Second, wall, func() { woken.Add(1) })
		}()
		time.Sleep(time.Hour)
		if n := woken.Load(); n != 0 {
			t.Errorf("woken %d times without sleep", n)
		}
		slept.Store(int64(8 * time.Hour))
		time.Sleep(time.Minute)
		if n := woken.Load(); n != 1 {
			t.Errorf("woken %d times by one sleep", n)
		}
		cancel()
		<-ended
	})
}
