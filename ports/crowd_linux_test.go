package ports

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func portOf(addr string) uint16 { return netip.MustParseAddrPort(addr).Port() }

// roomy is a log that the ports of all tests beside do not overrun, after which a restart would not be told.
const roomy = 1 << 14

// startActive runs the whole package with a log and a command that is alive, and waits for the first state.
func startActive(t *testing.T, log int) (*Monitor, <-chan Update) {
	t.Helper()
	m := NewMonitor(MonitorConfig{Events: NewLog(log)})
	t.Cleanup(m.Busy())
	updates := startWhole(t, m)
	awaitUpdate(t, updates, func(Update) bool { return true })
	return m, updates
}

// A thousand ports are ten times what the log holds: none is lost, none is invented, all get their names.
func TestThousandPortsAtOnce(t *testing.T) {
	t.Parallel()
	child := startHelper(t)
	_, updates := startActive(t, 0)
	addrs := child.crowd(1000)
	count := func(u Update, with func(Port) bool) int {
		return len(slices.DeleteFunc(slices.Clone(addrs), func(addr string) bool { return !with(openPort(u.Snapshot, portOf(addr))) }))
	}
	awaitUpdate(t, updates, func(u Update) bool {
		return count(u, func(p Port) bool { return p.PID == child.pid() }) == len(addrs)
	})
	child.disperse()
	awaitUpdate(t, updates, func(u Update) bool {
		return count(u, func(p Port) bool { return p.PID == child.pid() }) == 0
	})
}

// A port that came and went between two scans may be told or not, but opens and closes come in pairs, and the end is true.
func TestPortsOfMilliseconds(t *testing.T) {
	t.Parallel()
	child := startHelper(t)
	m, updates := startActive(t, roomy)
	addrs := child.blink(300)
	last, _ := child.listen("127.0.0.1:0")
	_, state := await(t, updates, Opened, last) // every blink was before
	for _, addr := range addrs {
		if p := openPort(state, portOf(addr)); p.PID == child.pid() && p.Number != portOf(last) {
			t.Errorf("%s is still open", addr)
		}
	}
	events, _ := m.cfg.Events.since(time.Time{})
	told := map[string]EventType{} // the last event of an endpoint
	for _, ev := range events {
		if previous, ok := told[ev.Port]; slices.Contains(addrs, strings.TrimPrefix(ev.Port, "tcp:")) && ok && previous == ev.Type {
			t.Errorf("%s is %s twice", ev.Port, ev.Type)
		}
		told[ev.Port] = ev.Type
	}
}

// A port has several addresses, of several processes: it is open until the last one goes, and goes by who is left.
func TestOnePortOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	first, second := startHelper(t), startHelper(t)
	_, updates := startActive(t, roomy)
	addr, _ := first.listen("127.0.0.5:0")
	number := portOf(addr)
	open := []netip.Addr{netip.MustParseAddr("127.0.0.5"), netip.MustParseAddr("127.0.0.6")}
	other, _ := second.listen(fmt.Sprintf("127.0.0.6:%d", number))
	if hasIPv6("[::]:0") {
		second.listenAs("v6only", fmt.Sprintf("[::]:%d", number))
		open = append(open, netip.IPv6Unspecified())
	}
	became := func(pid int, addresses ...netip.Addr) func(Update) bool {
		return func(u Update) bool {
			port := openPort(u.Snapshot, number)
			return port.PID == pid && slices.Equal(port.Addresses, addresses)
		}
	}
	awaitUpdate(t, updates, became(first.pid(), open...))
	first.close(addr)
	await(t, updates, Closed, addr)
	second.close(other)
	left, owner := open[2:], second.pid()
	if len(left) == 0 {
		owner = 0
	}
	awaitUpdate(t, updates, became(owner, left...)) // its name may come later
}

// Processes that share one address (SO_REUSEPORT) are one endpoint, open until the last of them goes.
func TestAddressSharedByProcesses(t *testing.T) {
	t.Parallel()
	first, second := startHelper(t), startHelper(t)
	_, updates := startActive(t, roomy)
	addr := first.listenAs("shared", "127.0.0.8:0")
	var told []string
	until := func(wanted func(Update) bool) {
		t.Helper()
		awaitUpdate(t, updates, func(u Update) bool {
			for _, ev := range u.Events {
				if ev.Port == "tcp:"+addr && ev.Type != Updated {
					told = append(told, string(ev.Type))
				}
			}
			return wanted(u)
		})
	}
	owner := func(pid int) func(Update) bool {
		return func(u Update) bool { return openPort(u.Snapshot, portOf(addr)).PID == pid }
	}
	until(owner(first.pid()))
	second.listenAs("shared", addr)
	mark, _ := second.listen("127.0.0.8:0")
	until(func(u Update) bool { return openPort(u.Snapshot, portOf(mark)).PID == second.pid() }) // what came before has been seen
	first.close(addr)
	until(owner(second.pid()))
	second.close(addr)
	until(func(u Update) bool { return openPort(u.Snapshot, portOf(addr)).PID == 0 })
	equal(t, "events", told, []string{"opened", "closed"})
}

func TestPortTakenOverByAnotherProcess(t *testing.T) {
	t.Parallel()
	first, second := startHelper(t), startHelper(t)
	_, updates := startActive(t, roomy)
	ownedBy := func(addr string, pid int) func(Update) bool {
		return func(u Update) bool { return openPort(u.Snapshot, portOf(addr)).PID == pid }
	}
	addr, _ := first.listen("127.0.0.7:0") // an address where nobody else takes the number in between
	awaitUpdate(t, updates, ownedBy(addr, first.pid()))
	first.close(addr)
	second.listen(addr)
	closed := false
	u := awaitUpdate(t, updates, func(u Update) bool {
		closed = closed || slices.Contains(story(u.Events), "closed tcp:"+addr)
		return closed && ownedBy(addr, second.pid())(u)
	})
	if got := openPort(u.Snapshot, portOf(addr)); len(got.Addresses) != 1 {
		t.Errorf("port of the second process: %+v", got)
	}
}

// The socket stays what it is when another process inherits it: the port is not closed, and goes by its new owner.
func TestSocketHandedToAnotherProcess(t *testing.T) {
	t.Parallel()
	child := startHelper(t)
	_, updates := startActive(t, roomy)
	addr, _ := child.listen("127.0.0.1:0")
	awaitUpdate(t, updates, func(u Update) bool { return openPort(u.Snapshot, portOf(addr)).PID == child.pid() })
	heir := child.hand(addr)
	awaitUpdate(t, updates, func(u Update) bool {
		if slices.Contains(story(u.Events), "closed tcp:"+addr) {
			t.Errorf("%s was closed by being handed on", addr)
		}
		return openPort(u.Snapshot, portOf(addr)).PID == heir
	})
}
