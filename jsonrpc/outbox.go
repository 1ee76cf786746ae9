package jsonrpc

import (
	"context"
	"slices"
	"sync"
)

// What waits for an editor that reads slowly.
const (
	maxEvents     = 256
	maxEventBytes = 64 << 20 // about, of messages: a container fills each with megabytes
)

// event is a notification to the editor.
type event struct {
	key       string // a newer event with the same key replaces one that waits; empty: never replaced
	method    string
	params    any
	extension bool   // only for editors that declare experimental.sketch
	keep      bool   // not dropped on overflow; their number is bounded by maxInFlight
	sent      func() // called when the event was sent or dropped, also with the outbox locked; may be nil
}

func (e event) settled() {
	if e.sent != nil {
		e.sent()
	}
}

// outbox holds the events that wait to be sent, in order. Posting never blocks: full state replaces the older state that
// still waits, and when too much waits the oldest message, log line or port event is dropped.
type outbox struct {
	wake chan struct{} // buffered, 1: queue has something

	mu      sync.Mutex
	queue   []event // guarded by mu
	dropped int     // guarded by mu: events dropped since the last take
	closed  bool    // guarded by mu: after shutdown nothing is sent
}

// size is about how much memory an event takes.
func (e event) size() int {
	p, ok := e.params.(MessageNotification)
	if !ok {
		return 0
	}
	m := p.Message
	n := len(m.Text) + len(m.Thinking)
	for _, image := range m.Images {
		n += len(image.Data)
	}
	if m.Tool != nil {
		n += len(m.Tool.Input) + len(m.Tool.Output) + len(m.Tool.Diff)
	}
	return n
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

func (o *outbox) post(e event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		e.settled()
		return
	}
	same := func(other event) bool { return e.key != "" && other.key == e.key }
	if i := slices.IndexFunc(o.queue, same); i >= 0 {
		o.queue[i] = e
		o.shrink()
		return
	}
	if len(o.queue) >= maxEvents {
		o.drop()
	}
	o.queue = append(o.queue, e)
	o.shrink()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// shrink drops the oldest messages while all together take too much. The caller holds mu.
func (o *outbox) shrink() {
	total := 0
	for _, e := range o.queue {
		total += e.size()
	}
	for i := 0; total > maxEventBytes && i < len(o.queue); {
		e := o.queue[i]
		if e.keep || e.size() == 0 {
			i++
			continue
		}
		e.settled()
		o.queue = slices.Delete(o.queue, i, i+1)
		o.dropped++
		total -= e.size()
	}
}

// drop makes room: the oldest event that another can stand in for, else the oldest that may be dropped. The caller
// holds mu.
func (o *outbox) drop() {
	oldest := func(match func(event) bool) bool {
		i := slices.IndexFunc(o.queue, match)
		if i >= 0 {
			o.queue[i].settled()
			o.queue = slices.Delete(o.queue, i, i+1)
			o.dropped++
		}
		return i >= 0
	}
	if !oldest(func(e event) bool { return e.key == "" && !e.keep }) {
		oldest(func(e event) bool { return !e.keep })
	}
}

// take waits for the next event.
func (o *outbox) take(ctx context.Context) (e event, dropped int, err error) {
	for {
		if e, dropped, ok := o.pop(); ok {
			return e, dropped, nil
		}
		select {
		case <-o.wake:
		case <-ctx.Done():
			return event{}, 0, ctx.Err()
		}
	}
}

func (o *outbox) pop() (e event, dropped int, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return event{}, 0, false
	}
	e, dropped = o.queue[0], o.dropped
	o.queue = slices.Delete(o.queue, 0, 1)
	o.dropped = 0
	return e, dropped, true
}

// shut drops what waits and whatever comes.
func (o *outbox) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.queue {
		e.settled()
	}
	o.closed, o.queue = true, nil
}

// courier sends events until ctx ends, from when the editor may be told things.
func (s *Server) courier(ctx context.Context) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return
	}
	for {
		e, dropped, err := s.outbox.take(ctx)
		if err != nil {
			return
		}
		if dropped > 0 {
			s.cfg.Log.Warn("the editor reads too slowly; events dropped", "count", dropped)
		}
		s.deliver(ctx, e)
	}
}

func (s *Server) deliver(ctx context.Context, e event) {
	defer e.settled()
	if e.extension && s.editor.Load().sketch == nil {
		return
	}
	if err := s.link.conn.Notify(ctx, e.method, e.params); err != nil {
		s.cfg.Log.Debug("notify", "method", e.method, "err", err)
	}
}
