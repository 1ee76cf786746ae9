package ports

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func portOf(addr string) uint16 { return netip.MustParseAddrPort(addr).Port() }

// startActive runs the whole package with a command that is alive, and waits for the first state.
func startActive(t *testing.T) (*Monitor, <-chan Update) {
	t.Helper()
	m := NewMonitor(MonitorConfig{Events: NewLog(0)})
	t.Cleanup(m.Busy())
	updates := startWhole(t, m)
	awaitUpdate(t, updates, func(Update) bool { return true })
	return m, updates
}

// A thousand ports are ten times what the log holds: none is lost, none is invented, all get their names.
func TestThousandPortsAtOnce(t *testing.T) {
	t.Parallel()
	child := startHelper(t)
	_, updates := startActive(t)
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
	m, updates := startActive(t)
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

func TestPortTakenOverByAnotherProcess(t *testing.T) {
	t.Parallel()
	first, second := startHelper(t), startHelper(t)
	_, updates := startActive(t)
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
	_, updates := startActive(t)
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
