package ports

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// equal compares what the package's types hold, IP addresses by value.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, byValue...); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var byValue = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

// patience bounds what a test waits for in real time.
const patience = time.Minute

func listener(addr string, inode uint32) Listener {
	return Listener{Addr: netip.MustParseAddrPort(addr), Inode: inode}
}

// port is an open port in short: its number and addresses.
func port(number uint16, addrs ...string) Port {
	p := Port{Number: number}
	for _, addr := range addrs {
		p.Addresses = append(p.Addresses, netip.MustParseAddr(addr))
	}
	return p
}

// brief reduces ports to what port makes.
func brief(ports []Port) []Port {
	short := []Port{}
	for _, p := range ports {
		short = append(short, Port{Number: p.Number, Addresses: p.Addresses})
	}
	return short
}

// story reduces events to "opened tcp:127.0.0.1:3000".
func story(events []Event) []string {
	lines := []string{}
	for _, ev := range events {
		lines = append(lines, string(ev.Type)+" "+ev.Port)
	}
	return lines
}
