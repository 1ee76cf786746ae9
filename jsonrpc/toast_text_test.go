package jsonrpc

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestToastText(t *testing.T) {
	t.Parallel()
	port := func(number int) Port { return Port{Number: number, HostPort: number, Status: PortForwarded} }
	named := func(process, label string) Port {
		p := port(3000)
		p.Process, p.Label = process, label
		return p
	}
	moved := func(number, host int, reason string) Port {
		return Port{Number: number, HostPort: host, Status: PortForwarded, Reason: reason, Process: "vite"}
	}
	tests := []struct {
		name  string
		ports []Port
		want  string
	}{
		{"none", nil, ""},
		{"one", []Port{port(3000)}, "Port 3000 forwarded"},
		{"process", []Port{named("vite", "")}, "Port 3000 (vite) forwarded"},
		{"label", []Port{named("vite", "Web app")}, "Port 3000 (Web app) forwarded"},
		{"hostile process", []Port{named("a\n\x1b[31m\u202eb\tc", "")}, "Port 3000 (a [31mb c) forwarded"},
		{"long process", []Port{named(strings.Repeat("é", 80), "")}, "Port 3000 (" + strings.Repeat("é", 23) + "…) forwarded"},
		{"in use", []Port{moved(3000, 3001, "3000 is in use")}, "Port 3000 forwarded to 3001 (3000 in use)"},
		{"privileged", []Port{moved(80, 8080, "80 needs privileges")}, "Port 80 forwarded to 8080 (80 needs privileges)"},
		{"no reason", []Port{moved(80, 8080, "")}, "Port 80 forwarded to 8080"},
		{"long reason", []Port{moved(80, 8080, strings.Repeat("x", 60))}, "Port 80 forwarded to 8080"},
		{"two", []Port{port(5173), port(3000)}, "Ports 3000, 5173 forwarded"},
		{"four", []Port{port(3000), port(5173), port(8080), port(9229)}, "Ports 3000, 5173 +2 forwarded"},
		{"moved first", []Port{port(80), moved(3000, 3001, "3000 is in use"), port(90)}, "Ports 3000→3001, 80 +1 forwarded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ToastText(tt.ports)
			if got != tt.want {
				t.Errorf("ToastText() = %q, want %q", got, tt.want)
			}
			if utf8.RuneCountInString(got) > maxToast {
				t.Errorf("%q is longer than %d", got, maxToast)
			}
		})
	}
}

func TestFailureText(t *testing.T) {
	t.Parallel()
	failed := func(number int, reason string) Port {
		return Port{Number: number, Status: PortFailed, Reason: reason}
	}
	tests := []struct {
		name  string
		ports []Port
		want  string
	}{
		{"none", nil, ""},
		{"one", []Port{failed(80, "permission denied")}, "Port 80 not forwarded: permission denied"},
		{"no reason", []Port{failed(80, "")}, "Port 80 not forwarded"},
		{"long reason", []Port{failed(80, strings.Repeat("x", 80))}, "Port 80 not forwarded: " + strings.Repeat("x", 36) + "…"},
		{"one reason", []Port{failed(3000, "3000 is in use"), failed(5173, "5173 is in use")}, "Ports 3000, 5173 not forwarded: in use"},
		{"one reason for many", []Port{failed(80, "80 needs privileges"), failed(81, "81 needs privileges"), failed(82, "82 needs privileges")}, "Ports 80, 81 +1 not forwarded: needs privileges"},
		{"one long reason", []Port{failed(80, strings.Repeat("x", 80)), failed(81, strings.Repeat("x", 80))}, "Ports 80, 81 not forwarded: " + strings.Repeat("x", 31) + "…"},
		{"three", []Port{failed(80, "a"), failed(81, "b"), failed(82, "c")}, "Ports 80, 81 +1 not forwarded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := failureText(tt.ports); got != tt.want {
				t.Errorf("FailureText() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLimitText(t *testing.T) {
	t.Parallel()
	over := func(number int, reason string) Port {
		return Port{Number: number, Status: PortListed, Reason: reason}
	}
	for want, ports := range map[string][]Port{
		"Port 65535 not forwarded: limit of 1024 forwards reached": {over(65535, "limit of 1024 forwards reached")},
		"Ports not forwarded: limit of 1024 forwards reached":      {over(3001, "limit of 1024 forwards reached; 7424 more ports are open"), over(3000, "limit of 1024 forwards reached")},
	} {
		if got := limitText(ports); got != want || utf8.RuneCountInString(got) > maxToast {
			t.Errorf("limitText() = %q, want %q", got, want)
		}
	}
}
