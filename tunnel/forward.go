package tunnel

import (
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Status is where a Forward stands.
type Status string

const (
	// Forwarded means that the host's listener accepts.
	Forwarded Status = "forwarded"
	// Listed means that the port is open but not forwarded; Reason says why. Its Action is Silent, except where only the limit keeps it from being forwarded.
	Listed Status = "listed"
	// Stopped means that the user stopped the forward.
	Stopped Status = "stopped"
	// Failed means that no listener could be had; Err says why.
	Failed Status = "failed"
	// Closed means that the port closed a moment ago. The listener is kept, and new connections wait, in case the server
	// is restarting.
	Closed Status = "closed"
)

// Forward is one port of the container as people see it. Forwards are values; Manager makes new ones on each change.
type Forward struct {
	Port      uint16 // inside
	Host      string // where the port is when not in the container itself
	HostPort  uint16 // on the host's loopback; 0 while there is no listener
	Status    Status
	Reason    string // for people: why it is listed, or why HostPort is not Port ("3000 is in use")
	Err       error  // when Failed
	Process   string // short name; empty when unknown
	PID       int    // inside; 0 when unknown
	Label     string
	Protocol  string // "http" or "https"
	Action    Action
	Addresses []netip.Addr // that listen inside, sorted
	Since     time.Time    // when Status was entered

	// Opened counts how often the port has newly opened, 0 while it has never been seen open. A restart of the server
	// within Linger does not count, so that whoever toasts on a change of Opened toasts once.
	Opened uint64

	command string // of Process, in full, as it was last known; what patterns match
}

// equal reports whether people would see no difference.
func (f Forward) equal(g Forward) bool {
	if (f.Err == nil) != (g.Err == nil) || f.Err != nil && f.Err.Error() != g.Err.Error() || !slices.Equal(f.Addresses, g.Addresses) {
		return false
	}
	return f.Port == g.Port && f.Host == g.Host && f.HostPort == g.HostPort && f.Status == g.Status && f.Reason == g.Reason &&
		f.Process == g.Process && f.PID == g.PID && f.Label == g.Label && f.Protocol == g.Protocol && f.Action == g.Action &&
		f.Since.Equal(g.Since) && f.Opened == g.Opened
}

// URL is where the forward is reached from the host, or empty when it has no listener.
func (f Forward) URL() string {
	if f.HostPort == 0 {
		return ""
	}
	return f.Protocol + "://localhost:" + strconv.Itoa(int(f.HostPort))
}
