//go:build linux

// Package threads keeps the agent alive when the container has no room for another thread.
//
// Go's runtime ends the whole process when it needs a thread and cannot have one, and the limit of processes that keeps a fork bomb inside the
// container counts threads too. The runtime never gives a thread back, so that those made in good time are there when there are no more to be had.
package threads

import (
	"errors"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"
)

// patience bounds the wait for the threads: a busy machine makes some fewer, which is better than a late start.
const patience = 2 * time.Second

// Reserve makes this process have n threads. Each running command holds one, and so does each file operation for its time.
func Reserve(n int) error {
	var pipe [2]int
	if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
		return err
	}
	var all sync.WaitGroup
	for range n {
		// Ended by the close of the pipe's other end; waited for below.
		all.Go(func() {
			var b [1]byte
			_, _ = syscall.Read(pipe[0], b[:]) // the plain system call blocks a thread until the end of the file
		})
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); Count() < n && time.Now().Before(deadline); <-ticker.C {
	}
	err := syscall.Close(pipe[1])
	all.Wait()
	return errors.Join(err, syscall.Close(pipe[0]))
}

// Count returns how many threads the process has made.
func Count() int { return pprof.Lookup("threadcreate").Count() }
