package ports

import (
	"net/netip"
	"time"
)

// An EventType says what happened to an endpoint.
type EventType string

const (
	Opened EventType = "opened" // a first socket listens on the endpoint
	Closed EventType = "closed" // the last socket that listened is gone
	// Updated means that more is known of an endpoint that stayed open: the name
	// of its process was resolved, or another process took over. Streams and the
	// long poll carry it; the plain array does not.
	Updated EventType = "updated"
)

// An Event is a change of one listening endpoint, that is address and port. Several
// sockets on one endpoint (SO_REUSEPORT) are one endpoint.
type Event struct {
	Type EventType `json:"type"`
	// Port is the endpoint as text: "tcp:127.0.0.1:3000", "tcp:[::]:3000".
	Port string `json:"port"`
	// Timestamp is when the change was seen, by the container's clock. It
	// grows strictly from event to event, whatever that clock does.
	Timestamp time.Time `json:"timestamp"`
	// Seq grows by one with each event of an Epoch, Updated ones included.
	Seq uint64 `json:"seq"`
	// Epoch is random for each Log: sequence numbers of two epochs do not compare.
	Epoch   string     `json:"epoch"`
	Number  uint16     `json:"number"`
	Address netip.Addr `json:"address"`
	Process string     `json:"process,omitempty"`
	PID     int        `json:"pid,omitempty"`
	// Open is the port as it stands after this event, nil when nothing listens
	// on the number any more. A client folds events by replacing its copy.
	Open *Port `json:"open,omitempty"`
}
