package ports

import (
	"fmt"
	"os"
)

// platformSources are the ways to read the socket table, cheapest first.
func platformSources() []OpenSource {
	return []OpenSource{openNetlink, openNetlinkFamilies, openProcNet, openSS}
}

func platformOwners() owners { return procOwners{root: "/proc", self: os.Getpid()} }

// ephemeralRange is where the kernel takes ports that nobody chose.
func ephemeralRange() (r [2]uint16) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return r
	}
	if _, err := fmt.Sscan(string(b), &r[0], &r[1]); err != nil {
		return [2]uint16{}
	}
	return r
}
