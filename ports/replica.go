package ports

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A replica is the client's copy of the state, and what changed since it was delivered.
type replica struct {
	state  Snapshot
	known  bool    // there has been a state
	dirty  bool    // it differs from what was delivered
	shared bool    // state.Ports has been delivered, and is not to be modified
	events []Event // since the last delivery
}

// reset takes a whole state. What it differs by from the one before has happened meanwhile.
func (r *replica) reset(state Snapshot) {
	if r.known {
		events := difference(r.state, state)
		if state.Epoch == r.state.Epoch && state.Seq == r.state.Seq && len(events) == 0 {
			return
		}
		r.events = append(r.events, events...)
	}
	r.state, r.known, r.dirty, r.shared = state, true, true, false
}

// advance takes a whole state together with the events that led to it, if they begin where
// the replica stands.
func (r *replica) advance(update Update) {
	state, events := update.Snapshot, update.Events
	if !r.known || len(events) == 0 || state.Epoch != r.state.Epoch || events[0].Seq != r.state.Seq+1 {
		r.reset(state)
		return
	}
	r.events = append(r.events, events...)
	r.state, r.dirty, r.shared = state, true, false
}

// apply takes the next event. One that was applied before is skipped; one that does not
// follow is an error, after which only a whole state helps.
func (r *replica) apply(ev Event) error {
	switch {
	case !r.known || ev.Epoch != r.state.Epoch:
		return fmt.Errorf("%w: event of epoch %q without its snapshot", errProtocol, ev.Epoch)
	case ev.Seq <= r.state.Seq:
		return nil
	case ev.Seq != r.state.Seq+1:
		return fmt.Errorf("%w: event %d follows %d", errProtocol, ev.Seq, r.state.Seq)
	}
	r.fold(ev)
	r.state.Seq = ev.Seq
	return nil
}

// fold makes ev.Open the state of the event's port.
func (r *replica) fold(ev Event) {
	if r.shared {
		r.state.Ports, r.shared = slices.Clone(r.state.Ports), false
	}
	if ev.Open != nil {
		r.state.Ports = putPort(r.state.Ports, *ev.Open)
	} else if i, found := findPort(r.state.Ports, ev.Number); found {
		r.state.Ports = slices.Delete(r.state.Ports, i, i+1)
	}
	r.events = append(r.events, ev)
	r.dirty = true
}

// foldPlain takes an event that does not say what the port has become, in a state
// without epochs. One that changes nothing is no event.
func (r *replica) foldPlain(ev Event) {
	port := Port{Number: ev.Number, Process: ev.Process, PID: ev.PID, Since: ev.Timestamp}
	if i, found := findPort(r.state.Ports, ev.Number); found {
		port = r.state.Ports[i]
	}
	at, listens := slices.BinarySearchFunc(port.Addresses, ev.Address, netip.Addr.Compare)
	addresses := slices.Clone(port.Addresses)
	switch {
	case ev.Type == Opened && !listens && len(addresses) < maxAddresses:
		addresses = slices.Insert(addresses, at, ev.Address)
	case ev.Type == Closed && listens:
		addresses = slices.Delete(addresses, at, at+1)
	default:
		return
	}
	port.Addresses = addresses
	if ev.Open = nil; len(addresses) > 0 {
		ev.Open = &port
	}
	r.fold(ev)
}

// take returns what is to be delivered, if anything.
func (r *replica) take() (Update, bool) {
	if !r.dirty {
		return Update{}, false
	}
	update := Update{Snapshot: r.state, Events: r.events}
	r.events, r.dirty, r.shared = nil, false, true
	return update, true
}

func findPort(ports []Port, number uint16) (int, bool) {
	return slices.BinarySearchFunc(ports, number, func(p Port, n uint16) int { return cmp.Compare(p.Number, n) })
}

// putPort replaces or inserts a port in the sorted list, as far as it has room.
func putPort(ports []Port, port Port) []Port {
	i, found := findPort(ports, port.Number)
	switch {
	case found:
		ports[i] = port
	case len(ports) < maxListeners:
		ports = slices.Insert(ports, i, port)
	}
	return ports
}

// difference tells two states apart in terms of events, closes first, of which it gives
// no more than maxListeners. Their sequence number is that of the later state.
func difference(old, state Snapshot) (events []Event) {
	at := time.Now().UTC().Round(0)
	add := func(typ EventType, port Port, addrs ...netip.Addr) {
		for _, addr := range addrs[:min(len(addrs), maxListeners-len(events))] {
			ev := Event{
				Type: typ, Port: formatEndpoint(netip.AddrPortFrom(addr, port.Number)), Timestamp: at,
				Seq: state.Seq, Epoch: state.Epoch,
				Number: port.Number, Address: addr, Process: port.Process, PID: port.PID,
			}
			if i, found := findPort(state.Ports, port.Number); found {
				open := state.Ports[i]
				ev.Open = &open
			}
			events = append(events, ev)
		}
	}
	for _, port := range old.Ports {
		add(Closed, port, without(port, state.Ports)...)
	}
	for _, port := range state.Ports {
		opened := without(port, old.Ports)
		add(Opened, port, opened...)
		if i, found := findPort(old.Ports, port.Number); found && len(opened) == 0 && old.Ports[i].PID != port.PID {
			add(Updated, port, port.Addresses[0])
		}
	}
	return events
}

// without returns the addresses of a port that it does not have among others.
func without(port Port, others []Port) (addrs []netip.Addr) {
	i, found := findPort(others, port.Number)
	for _, addr := range port.Addresses {
		if !found || !slices.Contains(others[i].Addresses, addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}
