package tunnel

import (
	"cmp"
	"slices"
)

// Over returns the settings of two documents together: what s says wins over what base says with the same precision (see Decide), and ports to forward are those of both. It is
// for an editor's settings over a repository's.
func (s Settings) Over(base Settings) Settings {
	return Settings{
		ForwardPorts:         both(s.ForwardPorts, base.ForwardPorts),
		PortsAttributes:      slices.Concat(s.PortsAttributes, base.PortsAttributes), // of two that match equally well the first counts
		OtherPortsAttributes: s.OtherPortsAttributes.over(base.OtherPortsAttributes),
		MaxForwards:          cmp.Or(s.MaxForwards, base.MaxForwards),
		AutoForwardPorts:     cmp.Or(s.AutoForwardPorts, base.AutoForwardPorts),
		Quiet:                s.Quiet || base.Quiet,
	}
}

// both returns the targets of two lists; of two that want the same number the first counts, as within one document.
func both(first, second []Target) []Target {
	targets := slices.Clone(first)
	for _, t := range second {
		if !slices.ContainsFunc(first, func(f Target) bool { return f.Port == t.Port }) {
			targets = append(targets, t)
		}
	}
	return targets
}

// over fills what a leaves open from base.
func (a Attributes) over(base Attributes) Attributes {
	return Attributes{
		OnAutoForward:    cmp.Or(a.OnAutoForward, base.OnAutoForward),
		Label:            cmp.Or(a.Label, base.Label),
		Protocol:         cmp.Or(a.Protocol, base.Protocol),
		RequireLocalPort: cmp.Or(a.RequireLocalPort, base.RequireLocalPort),
		ElevateIfNeeded:  cmp.Or(a.ElevateIfNeeded, base.ElevateIfNeeded),
	}
}
