package tunnel

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/sketch-ide/sketch-ide/ports"
)

// want is what one port should be.
type want struct {
	port     uint16
	info     ports.Port // zero when it is not open
	target   Target
	open     bool
	decision Decision
	byHand   bool // the user wants it forwarded
	hostPort uint16
	status   Status // Forwarded, Listed, Stopped or Closed
	reason   string
}

// wants lists every port that deserves a row, by number.
func (r *reconciler) wants(in inputs, now time.Time) []*want {
	if in.over() != nil {
		return nil
	}
	all := map[uint16]*want{}
	add := func(port uint16) *want {
		if all[port] == nil {
			all[port] = &want{port: port, target: Target{Port: port}}
		}
		return all[port]
	}
	for _, p := range in.snapshot.Ports {
		if p.Number != 0 {
			w := add(p.Number)
			w.info, w.open = p, true
		}
	}
	for _, t := range in.settings.ForwardPorts {
		w := add(t.Port)
		w.target, w.open = t, w.open || t.Host != ""
	}
	for port, wish := range r.memory.ByHand {
		if !wish.Stop {
			add(port).byHand = true
		}
	}
	for port, e := range r.actual {
		if e.binding != nil && r.lingers(port, now) {
			add(port)
		}
	}
	wants := slices.SortedFunc(maps.Values(all), func(a, b *want) int { return cmp.Compare(a.port, b.port) })
	for _, w := range wants {
		r.judge(w, in)
	}
	wants = slices.DeleteFunc(wants, func(w *want) bool { return w.status == "" })
	r.limit(wants, cmp.Or(in.settings.MaxForwards, DefaultMaxForwards))
	return shorten(wants)
}

// judge sets the status of one port; none means that it has no row.
func (r *reconciler) judge(w *want, in inputs) {
	info := w.info
	info.Number = w.port
	if e := r.actual[w.port]; e != nil && info.Command == "" {
		info.Command = e.command // so that a pattern goes on matching over a restart, until the new process is known
	}
	w.decision = Decide(info, in.settings, in.snapshot.Ephemeral)
	wish := r.memory.ByHand[w.port]
	w.hostPort = wish.HostPort
	switch {
	case wish.Stop:
		w.status = Stopped
	case w.byHand:
		w.status = Forwarded
		if w.decision.Action == Ignore {
			w.decision.Action = Silent
		}
	case w.decision.Verdict == VerdictIgnore:
	case w.decision.Verdict == VerdictList:
		w.status, w.reason = Listed, w.decision.Reason
	case w.open || w.decision.Configured:
		w.status = Forwarded
	default:
		w.status = Closed
	}
	if !w.open && !w.decision.Configured && w.status != Forwarded && w.status != Closed {
		w.status = ""
	}
}

// limit turns forwards above the cap into listed ones. Those made by hand are not counted; the configured come first,
// then those that exist.
func (r *reconciler) limit(wants []*want, limit int) {
	rank := func(w *want) int {
		e := r.actual[w.port]
		switch {
		case w.decision.Configured:
			return 0
		case e != nil && e.binding != nil:
			return 1
		}
		return 2
	}
	var counted []*want
	for _, w := range wants {
		if !w.byHand && (w.status == Forwarded || w.status == Closed) {
			counted = append(counted, w)
		}
	}
	slices.SortStableFunc(counted, func(a, b *want) int { return cmp.Compare(rank(a), rank(b)) })
	for _, w := range counted[min(limit, len(counted)):] {
		// The action stays: unlike other ports that are listed, this one is told of, since it was to be forwarded.
		w.status, w.reason = Listed, "limit of "+strconv.Itoa(limit)+" forwards reached"
	}
}

// maxListed bounds the rows of ports that are open and not forwarded, of which the container can have 65,535.
const maxListed = 512

// shorten leaves out listed ports beyond maxListed, the highest, and has the last one that stays say how many.
func shorten(wants []*want) []*want {
	var last *want
	listed := 0
	wants = slices.DeleteFunc(wants, func(w *want) bool {
		if w.status != Listed {
			return false
		}
		if listed++; listed <= maxListed {
			last = w
		}
		return listed > maxListed
	})
	if listed > maxListed {
		last.reason += fmt.Sprintf("; %d more ports are open", listed-maxListed)
	}
	return wants
}
