package tunnel

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// retryInterval is how often a forward that failed is tried again; the number may have become free.
const retryInterval = 5 * time.Second

// reconciler is the owner's state: what is, next to what was asked for. It belongs to the goroutine of Manager.Run, and
// nothing in it blocks: binding a loopback address does not.
type reconciler struct {
	cfg    ManagerConfig
	ctx    context.Context // Run's, for the connections
	wg     sync.WaitGroup  // accept loops and connections
	memory Memory
	seen   map[uint16]*sighting
	actual map[uint16]*entry

	over error // why nothing could be forwarded at the last look
}

// entry is a row of the table: a forward and, while it has listeners, its binding.
type entry struct {
	Forward
	binding *binding
	triedAt time.Time // when a failed forward was last tried
}

func newReconciler(cfg ManagerConfig) *reconciler {
	r := &reconciler{cfg: cfg, memory: cfg.Memory.clone(), seen: map[uint16]*sighting{}, actual: map[uint16]*entry{}}
	for port, opened := range r.memory.Opened {
		r.seen[port] = &sighting{opened: opened, restored: true}
	}
	return r
}

// reconcile makes actual what in and the wishes want, and returns all forwards and when to look again without being
// woken.
func (r *reconciler) reconcile(in inputs, now time.Time) ([]Forward, time.Duration) {
	r.over = in.over()
	r.observe(in.snapshot, in.settings, now)
	wants := r.wants(in, now)
	r.remove(wants)
	for _, w := range wants {
		r.apply(w, now)
	}
	r.gates(wants, in.pipe, now)
	return r.forwards(), r.again(now)
}

// remove closes what is not wanted any more, so that its number is free for what is.
func (r *reconciler) remove(wants []*want) {
	keep := map[uint16]*want{}
	for _, w := range wants {
		keep[w.port] = w
	}
	for port, e := range r.actual {
		w := keep[port]
		if e.binding != nil && (w == nil || w.status != Forwarded && w.status != Closed || !e.binding.suits(w)) {
			e.binding.close()
			e.binding = nil
		}
		if w == nil {
			delete(r.actual, port)
		}
	}
}

// apply makes the row of one port.
func (r *reconciler) apply(w *want, now time.Time) {
	e := r.actual[w.port]
	if e == nil {
		e = &entry{}
		r.actual[w.port] = e
	}
	if w.status == Forwarded && e.binding == nil {
		if e.Err != nil && now.Sub(e.triedAt) < retryInterval {
			w.status = Failed
		} else {
			e.triedAt = now
			e.binding, e.Err = r.bind(w)
		}
	}
	e.update(w, r.seen[w.port], now)
}

// update makes the row say what is.
func (e *entry) update(w *want, s *sighting, now time.Time) {
	status := w.status
	e.Port, e.Host = w.port, w.target.Host
	e.Label, e.Protocol, e.Action = w.decision.Label, w.decision.Protocol, w.decision.Action
	e.Reason, e.HostPort = w.reason, 0
	switch {
	case e.binding != nil:
		e.HostPort, e.Reason, e.Err = e.binding.hostPort, e.binding.reason, nil
	case status == Forwarded || status == Failed:
		status, e.Reason = Failed, e.Err.Error()
	default:
		e.Err = nil
	}
	if w.open {
		e.Process, e.PID, e.Addresses, e.command = w.info.Process, w.info.PID, w.info.Addresses, cmp.Or(w.info.Command, e.command)
	}
	if s != nil {
		e.Opened = s.opened
	}
	if status != e.Status {
		e.Status, e.Since = status, now
	}
}

// gates tells the connections of every forward whether to go ahead.
func (r *reconciler) gates(wants []*want, pipe Phase, now time.Time) {
	for _, w := range wants {
		e := r.actual[w.port]
		if e.binding == nil {
			continue
		}
		g := gateState{mode: gateOpen, routes: routes(w.target, e.Addresses), listening: w.open}
		switch {
		case pipe == Lost:
			g.mode = gateShut
		case pipe != Connected, r.lingers(w.port, now):
			g.mode = gateHold
		}
		e.binding.gate.set(g)
	}
}

// forwards returns all rows by port.
func (r *reconciler) forwards() []Forward {
	var all []Forward
	for _, port := range slices.Sorted(maps.Keys(r.actual)) {
		all = append(all, r.actual[port].Forward)
	}
	return all
}

// again is how long nothing changes by itself.
func (r *reconciler) again(now time.Time) time.Duration {
	next := now.Add(24 * time.Hour)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	for port, e := range r.actual {
		if s := r.seen[port]; e.binding != nil && s != nil && !s.open {
			sooner(s.closedAt.Add(s.linger))
		}
		if e.Status == Failed {
			sooner(e.triedAt.Add(retryInterval))
		}
	}
	return next.Sub(now)
}

// forward is Manager.Forward.
func (r *reconciler) forward(port, hostPort uint16) error {
	if r.over != nil {
		return r.over
	}
	e := r.actual[port]
	if hostPort != 0 && (e == nil || e.binding == nil || e.binding.hostPort != hostPort) {
		// Bound before anything is given up.
		listeners, err := r.listen(hostPort)
		if err != nil {
			return inUse(hostPort, err)
		}
		if e == nil {
			e = &entry{}
			r.actual[port] = e
		}
		if e.binding != nil {
			e.binding.close()
		}
		e.binding = r.serve(listeners, hostPort, "")
		r.memory.HostPorts[port] = hostPort
	}
	if e != nil {
		e.triedAt = time.Time{}
	}
	r.memory.ByHand[port] = ByHand{HostPort: hostPort}
	return nil
}

// unforward is Manager.Unforward.
func (r *reconciler) unforward(port uint16) error {
	if r.actual[port] == nil {
		return ErrNotForwarded
	}
	r.memory.ByHand[port] = ByHand{Stop: true}
	return nil
}

// close ends every listener, resets every connection (by the end of ctx), and waits for both, but not longer than a link
// may take to be abandoned: the channels of one that was do not end.
func (r *reconciler) close() {
	for _, e := range r.actual {
		if e.binding != nil {
			e.binding.close()
		}
	}
	ended := make(chan struct{})
	// Ends with the connections, and is abandoned with them.
	go func() {
		defer close(ended)
		r.wg.Wait()
	}()
	timer := time.NewTimer(closeTimeout + 2*stuckTimeout)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		r.cfg.Log.Warn("abandoned forwarded connections that do not end")
	}
}
