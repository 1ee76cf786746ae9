package sshconfig

import (
	"strings"
	"testing"
)

// Nothing that an image or a path is named can say more in the entry than its own place.
func TestHostSaysNothingElse(t *testing.T) {
	t.Parallel()
	const evil = "x\"\n  ProxyCommand evil\r\n\\"
	clean := Host{Name: "sketch-a", User: "x", KnownHosts: "/k", Identity: "/i", Proxy: []string{"p"}}
	dirty := Host{Name: "sketch-a" + evil, User: evil, KnownHosts: evil, Identity: evil, Proxy: []string{evil}}
	got, want := strings.Count(dirty.String(), "\n"), strings.Count(clean.String(), "\n")
	if got != want {
		t.Errorf("%d lines, want %d:\n%s", got, want, dirty)
	}
	for line := range strings.Lines(dirty.String()) {
		if strings.Contains(line, "ProxyCommand") {
			continue // its words are the shell's
		}
		if n := strings.Count(line, `"`); n%2 != 0 || strings.Contains(line, "User \"") && n != 2 {
			t.Errorf("unbalanced: %s", line)
		}
	}
}
