//go:build linux

package sshd

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// buffer is one packet's worth of data: with its header it stays below 32 KiB, the largest that Go's allocator pools.
type buffer [32752]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// drainLimit bounds how long a session goes on to deliver what background processes write after the command has ended.
const drainLimit = 5 * time.Second

// output is one stream of a process on its way to the client.
type output struct {
	from *os.File // pollable, so that its reads have deadlines
	to   io.Writer
}

// deliver copies until the stream or the client ends. Once exited is closed, everything that the process had written is still delivered,
// and what others write meanwhile; but a pause of linger ends the copy, and so does the limit for a stream that never pauses. sshd
// would wait for as long as a background process keeps the stream open.
func (o *output) deliver(exited <-chan struct{}, linger time.Duration) {
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	var limit time.Time // set when the exit is first seen
	owed := 0
	for {
		n, err := o.from.Read(buf[:])
		if n > 0 {
			if _, err := o.to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return // the end, EIO as a terminal's end, or the deadline
		}
		select {
		case <-exited:
		default:
			continue
		}
		if limit.IsZero() {
			limit, owed = time.Now().Add(drainLimit), o.pending()
		} else {
			owed -= n
		}
		if owed <= 0 && time.Now().After(limit) {
			return
		}
		o.from.SetReadDeadline(time.Now().Add(linger))
	}
}

// drain bounds a read that is waiting when the process ends.
func (o *output) drain(linger time.Duration) {
	o.from.SetReadDeadline(time.Now().Add(linger))
}

// pending returns how many bytes wait in the stream; none where the system does not tell.
func (o *output) pending() int {
	n := 0
	err := control(o.from, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.TIOCINQ)
		return err
	})
	if err != nil {
		return 0
	}
	return n
}
