package tunnel

import "github.com/sketch-ide/sketch-ide/ports"

// Verdict is what Decide wants done with an open port.
type Verdict int

const (
	// VerdictIgnore leaves the port out altogether.
	VerdictIgnore Verdict = iota
	// VerdictList shows the port without forwarding it.
	VerdictList
	// VerdictForward forwards the port.
	VerdictForward
)

// Decision is what the settings want for one port.
type Decision struct {
	Verdict          Verdict
	Reason           string // why the port is only listed, for people
	Configured       bool   // named in forwardPorts, which takes precedence under the cap
	Label            string
	Protocol         string // "http" or "https"
	Action           Action
	RequireLocalPort bool
	ElevateIfNeeded  bool
}

// Decide is the policy: what the settings want for an open port. ephemeral is the container's range of ports that the
// kernel hands out, both inclusive; zeros mean unknown.
func Decide(port ports.Port, s Settings, ephemeral [2]uint16) Decision {
	return Decision{}
}
