package tunnel

import (
	"cmp"
	"slices"

	"github.com/sketch-ide/sketch-ide/ports"
)

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
	Configured       bool   // named in forwardPorts: forwarded whether or not it is open, and first under the cap
	Label            string
	Protocol         string // "http" or "https"
	Action           Action
	RequireLocalPort bool
	ElevateIfNeeded  bool
}

// systemPorts belong to the container's own services and are only listed, unless the settings name them.
var systemPorts = []uint16{22, 25, 53, 80, 110, 143, 443, 993, 995}

// Decide is the policy: what the settings want for an open port. ephemeral is the container's range of ports that the
// kernel hands out, both inclusive; zeros mean unknown.
//
// A port in forwardPorts is forwarded. Otherwise autoForwardPorts false or onAutoForward "ignore" leave it out, a port that no portsAttributes
// match is left out when it is that of an editor's own server, only listed when it is a system port or ephemeral, and every other one is forwarded.
func Decide(port ports.Port, s Settings, ephemeral [2]uint16) Decision {
	configured := slices.IndexFunc(s.ForwardPorts, func(t Target) bool { return t.Port == port.Number })
	var host string
	if configured >= 0 {
		host = s.ForwardPorts[configured].Host
	}
	a, named := attributesOf(port, host, s)
	d := Decision{
		Verdict:          VerdictForward,
		Configured:       configured >= 0,
		Label:            a.Label,
		Protocol:         cmp.Or(a.Protocol, defaultProtocol(port.Number)),
		Action:           cmp.Or(a.OnAutoForward, Notify),
		RequireLocalPort: a.RequireLocalPort != nil && *a.RequireLocalPort,
		ElevateIfNeeded:  a.ElevateIfNeeded != nil && *a.ElevateIfNeeded,
	}
	if s.Quiet && d.Action != Ignore {
		d.Action = Silent
	}
	switch {
	case d.Configured:
		if d.Action == Ignore {
			d.Action = Silent
		}
	case d.Action == Ignore || !s.Automatic():
		d.Verdict = VerdictIgnore
	case named:
	case EditorServer(port) != "":
		d.Verdict = VerdictIgnore
	case slices.Contains(systemPorts, port.Number):
		d.Verdict, d.Reason, d.Action = VerdictList, "system port", Silent
	case ephemeral[0] <= port.Number && port.Number <= ephemeral[1]:
		d.Verdict, d.Reason, d.Action = VerdictList, "ephemeral port", Silent
	}
	return d
}

func defaultProtocol(port uint16) string {
	if port == 443 || port == 8443 {
		return "https"
	}
	return "http"
}

// attributesOf merges the attributes that match a port, and reports whether any portsAttributes did; only if not,
// otherPortsAttributes apply. An explicit port wins over a range, a narrow range over a wide one, and any of them over a
// pattern; among equals the first in the document wins.
func attributesOf(port ports.Port, host string, s Settings) (a Attributes, named bool) {
	var matching []PortAttributes
	for _, p := range s.PortsAttributes {
		if p.matches(port, host) {
			matching = append(matching, p)
		}
	}
	if len(matching) == 0 {
		return s.OtherPortsAttributes, false
	}
	slices.SortStableFunc(matching, func(a, b PortAttributes) int { return cmp.Compare(a.width(), b.width()) })
	for _, p := range matching {
		a = a.over(p.Attributes)
	}
	return a, true
}

// matches reports whether the attributes are for a port of host, which is empty for the container itself. What names no host is about the container's own
// ports, as in VS Code: the process that listens on 5432 here is not db:5432.
func (p PortAttributes) matches(port ports.Port, host string) bool {
	if p.Command != nil {
		return host == "" && port.Command != "" && p.Command.MatchString(port.Command)
	}
	return p.Host == host && p.From <= port.Number && port.Number <= p.To
}

// width is how many ports the selector is about; a pattern is wider than any range.
func (p PortAttributes) width() int {
	if p.Command != nil {
		return 1 << 16
	}
	return int(p.To-p.From) + 1
}
