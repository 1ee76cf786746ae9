package jsonrpc

import (
	"context"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var alive, died atomic.Bool
		alive.Store(true)
		go watch(t.Context(), alive.Load, func() { died.Store(true) })
		time.Sleep(time.Hour)
		synctest.Wait()
		if died.Load() {
			t.Error("died while alive")
		}
		alive.Store(false)
		time.Sleep(watchInterval)
		synctest.Wait()
		if !died.Load() {
			t.Error("death not seen")
		}
	})
}

func TestWatchEndsWithContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go watch(ctx, func() bool { return true }, func() { t.Error("died") })
		cancel()
	})
}

func TestAlive(t *testing.T) {
	t.Parallel()
	self, err := os.FindProcess(os.Getpid())
	if err != nil || !alive(self) {
		t.Errorf("this process is not alive: %v", err)
	}
	child := exec.Command(os.Args[0], "-test.run=^$")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(child.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	if alive(process) {
		t.Error("a process that has ended is alive")
	}
}
