package ports

import (
	"net/netip"
	"strings"
)

// protocolPrefix starts the text form of an endpoint, as the events carry it.
const protocolPrefix = "tcp:"

func formatEndpoint(ep netip.AddrPort) string { return protocolPrefix + ep.String() }

// parseEndpoint reads "127.0.0.1:3000", "[::]:3000" and what ss adds to that: "*:3000",
// which is the IPv6 wildcard that accepts IPv4 too, and zones ("127.0.0.53%lo:53",
// "[fe80::1]%eth0:80"), which are dropped.
func parseEndpoint(s string) (netip.AddrPort, bool) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		return netip.AddrPort{}, false
	}
	host, _, _ := strings.Cut(s[:colon], "%")
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "*" {
		host = "::"
	}
	ep, err := netip.ParseAddrPort("[" + host + "]" + s[colon:])
	if err != nil { // an IPv4 address does not go in brackets
		ep, err = netip.ParseAddrPort(host + s[colon:])
	}
	if err != nil || ep.Port() == 0 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ep.Addr().Unmap(), ep.Port()), true
}
