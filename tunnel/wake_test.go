package tunnel

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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
