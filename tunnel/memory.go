package tunnel

import "maps"

// Memory is what of a Manager outlives it, so that the next one of the session goes on where it ended: after a hand-over to another process,
// or when the editor comes back. It is a value, and has a JSON form.
type Memory struct {
	HostPorts map[uint16]uint16 `json:"hostPorts,omitempty"` // container port -> host port; they are tried first
	ByHand    map[uint16]ByHand `json:"byHand,omitempty"`    // what the user asked for, by container port
	Opened    map[uint16]uint64 `json:"opened,omitempty"`    // see Forward.Opened, by container port
}

// ByHand is what the user asked for by Manager.Forward or Manager.Unforward.
type ByHand struct {
	Stop     bool   `json:"stop,omitempty"`
	HostPort uint16 `json:"hostPort,omitempty"` // exactly this one; 0 for any
}

// clone returns a copy with maps that can be written.
func (m Memory) clone() Memory {
	return Memory{HostPorts: writable(m.HostPorts), ByHand: writable(m.ByHand), Opened: writable(m.Opened)}
}

func writable[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}
