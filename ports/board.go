package ports

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// An endpoint is an address and port with at least one socket that is to be seen. The
// oldest socket whose owner is known lends it its name.
type endpoint struct {
	sockets []*socket // by age
	owner   process
	uid     uint32
}

// survives says whether a socket of the endpoint is still there in a later state of it:
// then the later state's oldest is one, since what came meanwhile is younger.
func (e endpoint) survives(later endpoint) bool {
	return later.sockets[0].serial <= e.sockets[len(e.sockets)-1].serial
}

// A board is the published state, from which events tell each difference.
type board struct {
	endpoints map[netip.AddrPort]endpoint
	addresses map[uint16][]netip.Addr // of the endpoints, sorted, by number
	ports     map[uint16]Port
	last      time.Time // of the newest event
}

func newBoard() board {
	return board{
		endpoints: make(map[netip.AddrPort]endpoint),
		addresses: make(map[uint16][]netip.Addr),
		ports:     make(map[uint16]Port),
	}
}

// update makes next the published state and returns the events that lead there: closes
// first, then opens and names, each by address. An endpoint all of whose sockets were
// replaced between two scans has been closed and opened.
func (b *board) update(next map[netip.AddrPort]endpoint, now time.Time) (events []Event) {
	for _, ep := range sortedKeys(b.endpoints) {
		old := b.endpoints[ep]
		if later, open := next[ep]; !open || !old.survives(later) {
			b.remove(ep)
			events = append(events, b.event(Closed, ep, old, now))
		}
	}
	for _, ep := range sortedKeys(next) {
		old, open := b.endpoints[ep]
		b.insert(ep, next[ep])
		switch {
		case !open:
			events = append(events, b.event(Opened, ep, next[ep], now))
		case !old.owner.same(next[ep].owner):
			events = append(events, b.event(Updated, ep, next[ep], now))
		}
	}
	return events
}

func sortedKeys(endpoints map[netip.AddrPort]endpoint) []netip.AddrPort {
	return slices.SortedFunc(maps.Keys(endpoints), netip.AddrPort.Compare)
}

func (b *board) insert(ep netip.AddrPort, e endpoint) {
	b.endpoints[ep] = e
	addrs := b.addresses[ep.Port()]
	if i, found := slices.BinarySearchFunc(addrs, ep.Addr(), netip.Addr.Compare); !found {
		b.addresses[ep.Port()] = slices.Insert(addrs, i, ep.Addr())
	}
}

func (b *board) remove(ep netip.AddrPort) {
	delete(b.endpoints, ep)
	addrs := b.addresses[ep.Port()]
	if i, found := slices.BinarySearchFunc(addrs, ep.Addr(), netip.Addr.Compare); found {
		b.addresses[ep.Port()] = slices.Delete(addrs, i, i+1)
	}
}

// event brings the port of an endpoint up to date and describes the change.
func (b *board) event(typ EventType, ep netip.AddrPort, e endpoint, now time.Time) Event {
	at := b.stamp(now)
	return Event{
		Type: typ, Port: formatEndpoint(ep), Timestamp: at,
		Number: ep.Port(), Address: ep.Addr(),
		Process: e.owner.name, PID: e.owner.pid,
		Open: b.refresh(ep.Port(), at),
	}
}

// stamp makes the times of events grow strictly, so that "after this time" never skips
// one, even when the clock is set back.
func (b *board) stamp(now time.Time) time.Time {
	now = now.UTC().Round(0)
	if !now.After(b.last) {
		now = b.last.Add(1)
	}
	b.last = now
	return now
}

// refresh aggregates the endpoints of a number anew; nil means that it is closed.
func (b *board) refresh(number uint16, at time.Time) *Port {
	addrs := b.addresses[number]
	if len(addrs) == 0 {
		delete(b.addresses, number)
		delete(b.ports, number)
		return nil
	}
	addrs = slices.Clone(addrs[:min(len(addrs), maxAddresses)])
	port := Port{Number: number, Addresses: addrs, Since: at}
	if old, open := b.ports[number]; open {
		port.Since = old.Since
	}
	port.UID = b.endpoints[netip.AddrPortFrom(addrs[0], number)].uid
	for _, addr := range addrs {
		if owner := b.endpoints[netip.AddrPortFrom(addr, number)].owner; owner.pid != 0 {
			port.Process, port.Command, port.PID = owner.name, owner.command, owner.pid
			break
		}
	}
	b.ports[number] = port
	return &port
}

// open returns the open ports by number.
func (b *board) open() []Port {
	ports := make([]Port, 0, len(b.ports))
	for _, port := range b.ports {
		ports = append(ports, port)
	}
	slices.SortFunc(ports, func(a, b Port) int { return cmp.Compare(a.Number, b.Number) })
	return ports
}
