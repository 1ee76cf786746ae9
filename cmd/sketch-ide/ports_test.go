package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestPortListings(t *testing.T) {
	t.Parallel()
	forwards := []tunnel.Forward{
		{Port: 80, Status: tunnel.Listed, Reason: "system port", Process: "nginx"},
		{Port: 3000, HostPort: 3001, Status: tunnel.Forwarded, Reason: "3000 is in use", Process: "node", Label: "shop\x1b[2J", Protocol: "http"},
		{Port: 5173, HostPort: 5173, Status: tunnel.Forwarded, Process: "vite", Protocol: "http"},
		{Port: 8080, Status: tunnel.Failed, Err: errors.New("8080 is in use"), Reason: "8080 is in use"},
		{Port: 9000, HostPort: 9000, Status: tunnel.Closed, Protocol: "http"},
		{Port: 5432, Host: "db", HostPort: 5432, Status: tunnel.Forwarded, Protocol: "http", Opened: 1},
	}
	var table bytes.Buffer
	if err := portTable(&table, forwards); err != nil {
		t.Fatal(err)
	}
	wide := `PORT   FORWARDED ADDRESS       PROCESS   STATE
80     -                       nginx     listed (system port)
3000   http://localhost:3001   shop[2J   forwarded (3000 is in use)
5173   http://localhost:5173   vite      forwarded
8080   -                       -         failed (8080 is in use)
9000   http://localhost:9000   -         closed
5432   http://localhost:5432   db:5432   forwarded
`
	if diff := cmp.Diff(wide, table.String()); diff != "" {
		t.Error(diff)
	}
	narrow := `80 listed (system port) nginx
3000 → 3001 (3000 is in use) shop[2J
5173 vite
8080 failed (8080 is in use)
9000 closed
5432 db:5432`
	if diff := cmp.Diff(narrow, strings.Join(portLines(forwards), "\n")); diff != "" {
		t.Error(diff)
	}
}

// TestPortNews is what `up` and `ports --watch` tell, line by line.
func TestPortNews(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	front := newFront(&out, false, false, "")
	tell := func(state session.State, forwards ...tunnel.Forward) {
		info := session.Info{Name: "sketch-a", State: state, Forwards: forwards}
		front.SessionChanged(info)
		front.PortsChanged(info)
	}
	web := tunnel.Forward{Port: 3000, HostPort: 3000, Status: tunnel.Forwarded, Protocol: "http", Label: "web"}
	failed := tunnel.Forward{Port: 80, Status: tunnel.Failed, Err: errors.New("80 is in use"), Process: "nginx", Label: "shop\x1b[2J"}
	tell(session.Starting)
	tell(session.Connected, web)
	web.Opened, web.Process = 1, "vite"
	tell(session.Connected, web)
	closed := web
	closed.Status = tunnel.Closed
	tell(session.Connected, closed)
	tell(session.Connected, web) // it was a restart
	tell(session.Starting)
	tell(session.Connected, web, failed)
	tell(session.Connected, tunnel.Forward{Port: 3000, Status: tunnel.Listed, Reason: "limit of 1 forwards reached", Process: "vite"})
	want := `Port 3000 (web) forwarded  http://localhost:3000 (nothing listens on it yet)
Port 3000 (web) forwarded  http://localhost:3000
sketch-a: starting
Port 3000 (web) closed
sketch-a: connected
Port 3000 (web) forwarded  http://localhost:3000
Port 80 (shop[2J) could not be forwarded: 80 is in use
Port 3000 (vite) is open inside, not forwarded: limit of 1 forwards reached
Port 80 (shop[2J) closed
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
