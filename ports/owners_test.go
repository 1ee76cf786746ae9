package ports

import (
	"strings"
	"testing"
)

func TestShortName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, comm, arg0, want string }{
		{"plain", "node", "/usr/bin/node", "node"},
		{"script by interpreter", "python3", "/usr/bin/python3.11", "python3"},
		{"title set by the program", "nginx", "nginx: master process /usr/sbin/nginx", "nginx"},
		{"cut by the kernel", "webpack-dev-ser", "/app/webpack-dev-server", "webpack-dev-server"},
		{"name of a thread", "MainThread", "/usr/local/bin/node", "node"},
		{"name of a thread, cut", "node-MainThread", "node", "node"},
		{"thread with a title", "MainThread", "my server (v1)", "MainThread"},
		{"no arguments", "MainThread", "", "MainThread"},
		{"hostile", "a\x1b]0;x\x07\nb\xff", "", "a ]0;x  b"},
		{"nothing", "", "", ""},
	} {
		if got := shortName(tt.comm, tt.arg0); got != tt.want {
			t.Errorf("%s: shortName(%q, %q) = %q, want %q", tt.name, tt.comm, tt.arg0, got, tt.want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string
		limit int
		want  string
	}{
		{"node server.js", 99, "node server.js"},
		{"node\x00server.js\x00", 99, "node server.js"},
		{"käse", 2, "k"},
		{"käse", 3, "kä"},
		{strings.Repeat("\xff", 9), 9, ""},
		{strings.Repeat("\x01", 9) + "x", 99, "x"},
		{"\u202egnp.exe\u2028", 99, "gnp.exe"},
	} {
		if got := clean(tt.text, tt.limit); got != tt.want {
			t.Errorf("clean(%q, %d) = %q, want %q", tt.text, tt.limit, got, tt.want)
		}
	}
}
