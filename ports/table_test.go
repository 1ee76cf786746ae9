package ports

import (
	"fmt"
	"testing"
	"time"
)

// A tableStep is one scan, or names found on the side, and what must follow.
type tableStep struct {
	rows   []Listener
	named  map[uint32]process // instead of a scan
	events []string
	ports  []Port
}

func TestTablePublishes(t *testing.T) {
	t.Parallel()
	loop, wild, wild6 := listener("127.0.0.1:3000", 1), listener("0.0.0.0:3000", 2), listener("[::]:3000", 3)
	restarted, shared := listener("127.0.0.1:3000", 9), listener("127.0.0.1:3000", 8)
	vite, esbuild := process{pid: 7, name: "vite"}, process{pid: 8, name: "esbuild"}
	for _, tt := range []struct {
		name  string
		steps []tableStep
	}{
		{"open and close", []tableStep{
			{rows: []Listener{loop}, events: []string{"opened tcp:127.0.0.1:3000"}, ports: []Port{port(3000, "127.0.0.1")}},
			{rows: []Listener{loop}, ports: []Port{port(3000, "127.0.0.1")}},
			{events: []string{"closed tcp:127.0.0.1:3000"}},
		}},
		{"a port lives as long as its last address", []tableStep{
			{
				rows: []Listener{wild6, wild}, events: []string{"opened tcp:0.0.0.0:3000", "opened tcp:[::]:3000"},
				ports: []Port{port(3000, "0.0.0.0", "::")},
			},
			{rows: []Listener{wild6}, events: []string{"closed tcp:0.0.0.0:3000"}, ports: []Port{port(3000, "::")}},
			{events: []string{"closed tcp:[::]:3000"}},
		}},
		{"several sockets are one endpoint", []tableStep{
			{rows: []Listener{loop, shared}, events: []string{"opened tcp:127.0.0.1:3000"}, ports: []Port{port(3000, "127.0.0.1")}},
			{rows: []Listener{shared}, ports: []Port{port(3000, "127.0.0.1")}},
			{rows: []Listener{restarted, shared}, ports: []Port{port(3000, "127.0.0.1")}},
			{rows: []Listener{restarted}, ports: []Port{port(3000, "127.0.0.1")}},
			{events: []string{"closed tcp:127.0.0.1:3000"}},
		}},
		{"a restart between scans is told", []tableStep{
			{rows: []Listener{loop}, events: []string{"opened tcp:127.0.0.1:3000"}, ports: []Port{port(3000, "127.0.0.1")}},
			{
				rows: []Listener{restarted}, events: []string{"closed tcp:127.0.0.1:3000", "opened tcp:127.0.0.1:3000"},
				ports: []Port{port(3000, "127.0.0.1")},
			},
		}},
		{"closes come first", []tableStep{
			{rows: []Listener{wild}, events: []string{"opened tcp:0.0.0.0:3000"}, ports: []Port{port(3000, "0.0.0.0")}},
			{
				rows: []Listener{loop}, events: []string{"closed tcp:0.0.0.0:3000", "opened tcp:127.0.0.1:3000"},
				ports: []Port{port(3000, "127.0.0.1")},
			},
		}},
		{"names follow, and pass to the next holder", []tableStep{
			{rows: []Listener{loop, shared}, events: []string{"opened tcp:127.0.0.1:3000"}, ports: []Port{port(3000, "127.0.0.1")}},
			{named: map[uint32]process{8: esbuild}, events: []string{"updated tcp:127.0.0.1:3000 esbuild"}, ports: []Port{port(3000, "127.0.0.1")}},
			{named: map[uint32]process{8: {pid: 8, name: "esbuild", ignore: true}}, ports: []Port{port(3000, "127.0.0.1")}}, // decided once
			{
				named: map[uint32]process{1: vite, 8: esbuild}, events: []string{"updated tcp:127.0.0.1:3000 vite"},
				ports: []Port{port(3000, "127.0.0.1")},
			},
			{named: map[uint32]process{1: vite, 77: vite}, ports: []Port{port(3000, "127.0.0.1")}},
			{rows: []Listener{shared}, events: []string{"updated tcp:127.0.0.1:3000 esbuild"}, ports: []Port{port(3000, "127.0.0.1")}},
			{events: []string{"closed tcp:127.0.0.1:3000 esbuild"}},
		}},
		{"an ignored process found late is withdrawn, once", []tableStep{
			{
				rows: []Listener{loop, wild}, events: []string{"opened tcp:0.0.0.0:3000", "opened tcp:127.0.0.1:3000"},
				ports: []Port{port(3000, "0.0.0.0", "127.0.0.1")},
			},
			{
				named: map[uint32]process{1: {pid: 7, ignore: true}}, events: []string{"closed tcp:127.0.0.1:3000"},
				ports: []Port{port(3000, "0.0.0.0")},
			},
			{rows: []Listener{wild}, ports: []Port{port(3000, "0.0.0.0")}},
		}},
		{"rows may repeat", []tableStep{
			{rows: []Listener{loop, loop}, events: []string{"opened tcp:127.0.0.1:3000"}, ports: []Port{port(3000, "127.0.0.1")}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			table := newTable()
			for i, step := range tt.steps {
				if step.named != nil {
					table.name(step.named)
				} else {
					table.replace(step.rows)
				}
				events := table.publish(time.Now())
				var lines []string
				for _, ev := range events {
					line := string(ev.Type) + " " + ev.Port
					if ev.Process != "" {
						line += " " + ev.Process
					}
					lines = append(lines, line)
				}
				equal(t, fmt.Sprintf("step %d: events", i), lines, step.events)
				equal(t, fmt.Sprintf("step %d: ports", i), brief(table.board.open()), append([]Port{}, step.ports...))
			}
		})
	}
}

func TestEventsCarryTheirPort(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 6, 1, 12, 0, 0, 5, time.FixedZone("here", 3600))
	table := newTable()
	table.replace([]Listener{listener("0.0.0.0:3000", 1), listener("[::]:3000", 2)})
	table.name(map[uint32]process{1: {pid: 7, name: "node", command: "node server.js"}})
	events := table.publish(now)
	// The clock goes back; event times do not, nor does the port's age change.
	table.replace([]Listener{listener("[::]:3000", 2)})
	events = append(events, table.publish(now.Add(-time.Hour))...)
	table.replace(nil)
	events = append(events, table.publish(now.Add(-time.Hour))...)

	at := func(ns int) time.Time { return time.Date(2025, 6, 1, 11, 0, 0, 5+ns, time.UTC) }
	open := func(p Port, known bool) *Port {
		p.Since = at(0)
		if known {
			p.Process, p.Command, p.PID = "node", "node server.js", 7
		}
		return &p
	}
	v4, v6 := listener("0.0.0.0:3000", 0).Addr.Addr(), listener("[::]:3000", 0).Addr.Addr()
	equal(t, "events", events, []Event{
		{
			Type: Opened, Port: "tcp:0.0.0.0:3000", Timestamp: at(0), Number: 3000, Address: v4, Process: "node", PID: 7,
			Open: open(port(3000, "0.0.0.0"), true),
		},
		{
			Type: Opened, Port: "tcp:[::]:3000", Timestamp: at(1), Number: 3000, Address: v6,
			Open: open(port(3000, "0.0.0.0", "::"), true),
		},
		{
			Type: Closed, Port: "tcp:0.0.0.0:3000", Timestamp: at(2), Number: 3000, Address: v4, Process: "node", PID: 7,
			Open: open(port(3000, "::"), false),
		},
		{Type: Closed, Port: "tcp:[::]:3000", Timestamp: at(3), Number: 3000, Address: v6},
	})
}

func TestManyAddressesAreCut(t *testing.T) {
	t.Parallel()
	var rows []Listener
	for i := range maxListeners {
		rows = append(rows, listener(fmt.Sprintf("127.0.%d.%d:80", i/200, i%200), uint32(i+1)))
	}
	table := newTable()
	table.replace(rows)
	if got := len(table.publish(time.Now())); got != maxListeners {
		t.Errorf("%d events, want %d", got, maxListeners)
	}
	if got := len(table.board.open()[0].Addresses); got != maxAddresses {
		t.Errorf("%d addresses, want %d", got, maxAddresses)
	}
	table.replace(nil)
	table.publish(time.Now())
	if got := table.board.open(); len(got) != 0 {
		t.Errorf("still open: %v", got)
	}
}
