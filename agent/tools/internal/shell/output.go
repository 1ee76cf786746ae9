package shell

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Bounds of what is kept of one output.
const (
	headBytes = 16 << 10
	tailBytes = 32 << 10
	liveBytes = 8 << 10
)

// output keeps the head and the tail of what was written, and hands all of it to a file once that does not hold it.
type output struct {
	spool *spool

	mu    sync.Mutex // guards what follows
	head  []byte
	tail  []byte // the last tailBytes after the head, at tailAt and around
	next  int    // where the next byte goes in a full tail
	total int64
	file  *spoolFile // nil until it is needed
}

func newOutput(spool *spool) *output { return &output{spool: spool} }

func (o *output) write(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(p) == 0 {
		return
	}
	if o.file == nil && o.total+int64(len(p)) > headBytes+tailBytes {
		o.file = o.spool.create()
		o.file.write(o.head)
		o.file.write(o.unrolled())
	}
	o.file.write(p)
	o.total += int64(len(p))
	if room := headBytes - len(o.head); room > 0 {
		n := min(room, len(p))
		o.head = append(o.head, p[:n]...)
		p = p[n:]
	}
	o.roll(p)
}

// roll adds to the tail.
func (o *output) roll(p []byte) {
	if len(p) >= tailBytes {
		o.tail, o.next = append(o.tail[:0], p[len(p)-tailBytes:]...), 0
		return
	}
	if room := tailBytes - len(o.tail); room > 0 {
		n := min(room, len(p))
		o.tail = append(o.tail, p[:n]...)
		p = p[n:]
	}
	for len(p) > 0 {
		n := copy(o.tail[o.next:], p)
		o.next = (o.next + n) % tailBytes
		p = p[n:]
	}
}

func (o *output) unrolled() []byte {
	return append(append(make([]byte, 0, len(o.tail)), o.tail[o.next:]...), o.tail[:o.next]...)
}

func (o *output) written() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.total
}

// last returns the last n bytes, n being at most tailBytes.
func (o *output) last(n int) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	tail := o.unrolled()
	if len(tail) < n {
		tail = append(append([]byte{}, o.head...), tail...)
	}
	return tail[max(0, len(tail)-n):]
}

// text returns the output as text, without its middle where it is long, and the file that has all of it then.
func (o *output) text() (text, whole string) {
	o.mu.Lock()
	head, tail, total := o.head, o.unrolled(), o.total
	whole = o.file.path()
	o.mu.Unlock()
	missing := total - int64(len(head)) - int64(len(tail))
	if missing == 0 {
		return Clean(append(slices.Clip(head), tail...)), ""
	}
	// Whole lines on both sides of the gap, unless they are very long.
	if i := strings.LastIndexByte(string(head), '\n'); i > len(head)/2 {
		missing += int64(len(head) - i - 1)
		head = head[:i+1]
	}
	if i := strings.IndexByte(string(tail), '\n'); i >= 0 && i < len(tail)/2 {
		missing += int64(i + 1)
		tail = tail[i+1:]
	}
	return fmt.Sprintf("%s\n[… %s left out …]\n%s", strings.TrimSuffix(Clean(head), "\n"), Size(missing), Clean(tail)), whole
}

// close ends the file. The output can still be read.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.file.close()
}

// Size says a number of bytes for people.
func Size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
}
