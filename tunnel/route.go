package tunnel

import (
	"net/netip"
	"slices"
)

// routes are the addresses to dial, in order, for a port with these listeners. A wildcard or loopback listener is
// reached over loopback. :: accepts IPv4 as well unless it was told not to, and ::1 only where the container has it.
func routes(t Target, addresses []netip.Addr) []string {
	on := func(hosts ...string) []string {
		var out []string
		for _, h := range hosts {
			out = append(out, joinHostPort(h, t.Port))
		}
		return out
	}
	v4, v6 := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	has := func(a ...netip.Addr) bool {
		return slices.ContainsFunc(a, func(a netip.Addr) bool { return slices.Contains(addresses, a) })
	}
	switch {
	case t.Host != "":
		return on(t.Host)
	case has(v4, netip.IPv4Unspecified()):
		return on("127.0.0.1")
	case has(netip.IPv6Unspecified()):
		return on("::1", "127.0.0.1")
	case has(v6):
		return on("::1")
	case len(addresses) > 0:
		return on(addresses[0].String())
	}
	return on("127.0.0.1", "::1")
}
