package ports

// A Snapshot is the whole published state after the event Seq of an Epoch.
type Snapshot struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
	// Ports are the open ports by ascending number. Shared: not to be modified.
	Ports []Port `json:"ports"`
	// Ephemeral is the container's ip_local_port_range, both ends inclusive;
	// zeros where it is unknown.
	Ephemeral [2]uint16 `json:"ephemeral"`
}

// An Update is the full state together with what led to it: Events are the
// changes since the update before, oldest first. Where some may have been lost, they
// are what the two states differ by. It is also the body of the long poll's answer.
type Update struct {
	Snapshot Snapshot `json:"snapshot"`
	Events   []Event  `json:"events"`
}
