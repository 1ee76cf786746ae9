package tunnel

import (
	"time"

	"github.com/sketch-ide/sketch-ide/ports"
)

// sighting is the history of one container port.
type sighting struct {
	open     bool
	closedAt time.Time
	linger   time.Duration // from closedAt on, how long it may be restarting
	opened   uint64        // see Forward.Opened
	restored bool          // from Memory: open in the first snapshot, it is what the last Manager had, and has not newly opened
}

// observe notes which ports opened and closed. A target on another host counts as open.
func (r *reconciler) observe(snapshot ports.Snapshot, settings Settings, now time.Time) {
	open := map[uint16]bool{}
	for _, p := range snapshot.Ports {
		open[p.Number] = true
	}
	for _, t := range settings.ForwardPorts {
		open[t.Port] = open[t.Port] || t.Host != ""
	}
	for port, isOpen := range open {
		s := r.seen[port]
		if s == nil {
			s = &sighting{}
			r.seen[port] = s
		}
		if isOpen && !s.open {
			s.open = true
			if s.opened == 0 || !s.restored && now.Sub(s.closedAt) >= s.linger {
				s.opened++
				r.memory.Opened[port] = s.opened
			}
		}
	}
	for port, s := range r.seen {
		if s.open && !open[port] {
			s.open, s.closedAt, s.linger = false, now, r.cfg.Linger
		}
		// Also where the server's end was heard of before the container's: it was the beginning of that.
		switch {
		case s.open:
		case snapshot.Epoch == EpochEnded:
			s.linger = 0
		case snapshot.Epoch == EpochStopped && now.Sub(s.closedAt) < s.linger:
			s.linger = r.cfg.StoppedLinger
		}
		s.restored = s.restored && snapshot.Epoch == "" // until there is a snapshot
	}
}

// lingers reports whether port closed so recently that it may be restarting.
func (r *reconciler) lingers(port uint16, now time.Time) bool {
	s := r.seen[port]
	return s != nil && !s.open && now.Sub(s.closedAt) < s.linger
}
