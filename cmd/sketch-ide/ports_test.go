package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
`
	if diff := cmp.Diff(wide, table.String()); diff != "" {
		t.Error(diff)
	}
	narrow := `80 listed (system port) nginx
3000 → 3001 (3000 is in use) shop[2J
5173 vite
8080 failed (8080 is in use)
9000 closed`
	if diff := cmp.Diff(narrow, strings.Join(portLines(forwards), "\n")); diff != "" {
		t.Error(diff)
	}
}
