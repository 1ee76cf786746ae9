package ports

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Here is what the client makes of bytes from a server that it does not trust: decoded with
// bounds, checked, and made fit to be shown.

var errProtocol = errors.New("server does not keep to the protocol")

// maxEpoch bounds an epoch, which travels back in a header.
const maxEpoch = 64

// A list is a JSON array of at most maxListeners elements: a body of some megabytes must
// not become gigabytes of empty elements.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil // how Go encodes an empty one
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		return fmt.Errorf("%w: not an array", errProtocol)
	}
	for dec.More() {
		if len(*l) == maxListeners {
			return fmt.Errorf("%w: more than %d elements", errProtocol, maxListeners)
		}
		var v T
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*l = append(*l, v)
	}
	return nil
}

func decodeSnapshot(b []byte) (Snapshot, error) {
	var wire struct {
		Snapshot
		Ports list[Port] `json:"ports"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return Snapshot{}, fmt.Errorf("decode snapshot: %w", err)
	}
	s := wire.Snapshot
	s.Ports = make([]Port, 0, len(wire.Ports))
	for _, port := range wire.Ports {
		port, ok := checkPort(port)
		if !ok {
			return Snapshot{}, fmt.Errorf("%w: port without number or address", errProtocol)
		}
		s.Ports = append(s.Ports, port)
	}
	slices.SortStableFunc(s.Ports, func(a, b Port) int { return cmp.Compare(a.Number, b.Number) })
	s.Ports = slices.CompactFunc(s.Ports, func(a, b Port) bool { return a.Number == b.Number })
	return s, checkEpoch(s.Epoch)
}

func decodeEvent(b []byte) (Event, error) {
	var ev Event
	if err := json.Unmarshal(b, &ev); err != nil {
		return Event{}, fmt.Errorf("decode event: %w", err)
	}
	ev, ok := checkEvent(ev)
	if !ok {
		return Event{}, fmt.Errorf("%w: event without endpoint", errProtocol)
	}
	return ev, checkEpoch(ev.Epoch)
}

// decodeUpdate reads the answer to a long poll. Events that make no sense make the update
// one without: the snapshot holds all that they say.
func decodeUpdate(b []byte) (Update, error) {
	var wire struct {
		Snapshot json.RawMessage `json:"snapshot"`
		Events   list[Event]     `json:"events"`
	}
	if err := json.Unmarshal(b, &wire); err != nil {
		return Update{}, fmt.Errorf("decode update: %w", err)
	}
	state, err := decodeSnapshot(wire.Snapshot)
	if err != nil {
		return Update{}, err
	}
	update := Update{Snapshot: state}
	for i, ev := range wire.Events {
		ev, ok := checkEvent(ev)
		if !ok || ev.Epoch != state.Epoch || ev.Seq != state.Seq-uint64(len(wire.Events)-1-i) {
			return Update{Snapshot: state}, nil
		}
		update.Events = append(update.Events, ev)
	}
	return update, nil
}

// decodeEvents reads the plain array. A server such as Sketch sends only type, port and
// timestamp, and UDP as well; what is no TCP endpoint is left out.
func decodeEvents(b []byte) ([]Event, error) {
	var wire list[Event]
	if err := json.Unmarshal(b, &wire); err != nil {
		return nil, fmt.Errorf("decode events: %w", err)
	}
	var events []Event
	for _, ev := range wire {
		if ev, ok := checkEvent(ev); ok {
			events = append(events, ev)
		}
	}
	return events, nil
}

// checkEvent makes an event out of its port text, which alone every server sends.
func checkEvent(ev Event) (Event, bool) {
	text, tcp := strings.CutPrefix(ev.Port, protocolPrefix)
	ep, ok := parseEndpoint(text)
	if !tcp || !ok {
		return Event{}, false
	}
	ev.Port, ev.Number, ev.Address = formatEndpoint(ep), ep.Port(), ep.Addr()
	ev.Process, ev.PID = clean(ev.Process, maxProcess), max(ev.PID, 0)
	if ev.Open != nil {
		port, ok := checkPort(*ev.Open)
		if !ok || port.Number != ev.Number {
			return Event{}, false
		}
		ev.Open = &port
	}
	return ev, true
}

func checkPort(port Port) (Port, bool) {
	for i, addr := range port.Addresses {
		port.Addresses[i] = addr.Unmap().WithZone("")
	}
	slices.SortFunc(port.Addresses, netip.Addr.Compare)
	port.Addresses = slices.Compact(port.Addresses)
	if port.Number == 0 || len(port.Addresses) == 0 || !port.Addresses[0].IsValid() {
		return Port{}, false // an invalid address sorts first
	}
	port.Addresses = slices.Clip(port.Addresses[:min(len(port.Addresses), maxAddresses)])
	port.Process, port.Command = clean(port.Process, maxProcess), clean(port.Command, maxCommand)
	port.PID = max(port.PID, 0)
	return port, true
}

func checkEpoch(epoch string) error {
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if epoch == "" || len(epoch) > maxEpoch || strings.ContainsFunc(epoch, odd) {
		return fmt.Errorf("%w: epoch %.80q", errProtocol, epoch)
	}
	return nil
}

// readBody reads a whole body of at most maxMessage bytes.
func readBody(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
	if err == nil && len(b) > maxMessage {
		err = errMessageTooLong
	}
	return b, err
}
