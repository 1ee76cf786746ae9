//go:build linux

package sshd

import (
	"slices"
	"strings"
	"testing"
)

func TestFindPasswd(t *testing.T) {
	t.Parallel()
	const file = `root:x:0:0:root:/root:/bin/bash
# comment
broken:x:7
dev:x:1000:1000:,,,:/home/dev:/usr/bin/fish
twin:x:1000:1000::/home/twin:/bin/sh
`
	tests := []struct {
		name string
		uid  int
		want passwdEntry
		ok   bool
	}{
		{"root", 0, passwdEntry{"root", "/root", "/bin/bash"}, true},
		{"first of two", 1000, passwdEntry{"dev", "/home/dev", "/usr/bin/fish"}, true},
		{"malformed", 7, passwdEntry{}, false},
		{"unknown", 4711, passwdEntry{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, ok := findPasswd(strings.NewReader(file), test.uid); got != test.want || ok != test.ok {
				t.Errorf("got %+v, %v", got, ok)
			}
		})
	}
}

func TestResolveAccount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		entry      passwdEntry
		env        map[string]string
		executable []string
		want       account
	}{
		{"login shell", passwdEntry{"dev", "/home/dev", "/bin/zsh"}, nil, []string{"/bin/zsh", "/bin/sh"}, account{"dev", "/home/dev", "/bin/zsh"}},
		{"login shell is missing", passwdEntry{"dev", "/home/dev", "/bin/zsh"}, nil, []string{"/bin/bash", "/bin/sh"}, account{"dev", "/home/dev", "/bin/bash"}},
		{"nologin", passwdEntry{"node", "/home/node", "/usr/sbin/nologin"}, nil, []string{"/usr/sbin/nologin", "/bin/bash"}, account{"node", "/home/node", "/bin/bash"}},
		{"false", passwdEntry{"app", "/app", "/bin/false"}, nil, []string{"/bin/false", "/bin/sh"}, account{"app", "/app", "/bin/sh"}},
		{"environment's shell", passwdEntry{}, map[string]string{"SHELL": "/bin/ash", "HOME": "/data"}, []string{"/bin/ash", "/bin/sh"}, account{"login", "/data", "/bin/ash"}},
		{"relative shell", passwdEntry{}, map[string]string{"SHELL": "bash"}, []string{"bash", "/bin/sh"}, account{"login", "/", "/bin/sh"}},
		{"image with only sh", passwdEntry{"root", "/root", "/bin/ash"}, nil, []string{"/bin/sh"}, account{"root", "/root", "/bin/sh"}},
		{"no shell at all", passwdEntry{"root", "/root", ""}, nil, nil, account{"root", "/root", "/bin/sh"}},
		{"no home", passwdEntry{"x", "", "/bin/sh"}, nil, []string{"/bin/sh"}, account{"x", "/", "/bin/sh"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			executable := func(path string) bool { return slices.Contains(test.executable, path) }
			got := resolveAccount(test.entry, "login", func(name string) string { return test.env[name] }, executable)
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, test := range []struct{ workspace, home, want string }{
		{dir, "/", dir}, {dir + "/none", dir, dir}, {"", dir, dir}, {"", dir + "/none", "/"},
	} {
		if got := directory(test.workspace, test.home); got != test.want {
			t.Errorf("directory(%q, %q) = %q", test.workspace, test.home, got)
		}
	}
}
