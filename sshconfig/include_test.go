package sshconfig

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const ours = "/home/ada/.local/state/sketch-ide/ssh_config"

func find(config string) []line {
	return includes([]byte(config), ours, "/home/ada", "/home/ada/.ssh")
}

func TestIncludes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, config   string
		always, inside int // lines that count for every host, and those that do not
	}{
		{"empty", "", 0, 0},
		{"plain", "Include " + ours + "\n", 1, 0},
		{"no end of line", "Include " + ours, 1, 0},
		{"quoted, indented, CRLF", "\t include \"" + ours + "\" \r\nHost a\r\n", 1, 0},
		{"equals sign", "Include = " + ours + "\n", 1, 0},
		{"from home", "Include ~/.local/state/sketch-ide/ssh_config\n", 1, 0},
		{"from .ssh", "Include ../.local/state/sketch-ide/ssh_config\n", 1, 0},
		{"with a comment", "Include " + ours + " # sketch\n", 1, 0},
		{"one of several", "Include other " + ours + "\n", 1, 0},
		{"a comment", "# Include " + ours + "\n", 0, 0},
		{"another file", "Include " + ours + ".old\n", 0, 0},
		{"in a Host", "Host a\n  User b\nInclude " + ours + "\n", 0, 1},
		{"in a Match", "Match host a\nInclude " + ours + "\n", 0, 1},
		{"after other options", "User ada\n\nInclude " + ours + "\nHost a\nInclude " + ours + "\n", 1, 1},
		{"odd lines", "=\n\"\nHost\nInclude\nInclude \"\n\\\n", 0, 0},
	} {
		always, inside := 0, 0
		for _, l := range find(tt.config) {
			if l.always {
				always++
			} else {
				inside++
			}
		}
		if always != tt.always || inside != tt.inside {
			t.Errorf("%s: %d for every host and %d for some, want %d and %d", tt.name, always, inside, tt.always, tt.inside)
		}
	}
}

func TestWithIncludeKeepsTheKindOfLineEnd(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		"":                       "Include " + ours + "\n",
		"Host a\r\n\tUser b\r\n": "Include " + ours + "\r\nHost a\r\n\tUser b\r\n",
		"\nMatch all":            "Include " + ours + "\n\nMatch all",
	} {
		if diff := cmp.Diff(want, string(withInclude([]byte(config), ours))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", config, diff)
		}
	}
	if got := statement("/my state/ssh_config"); got != `Include "/my state/ssh_config"` {
		t.Errorf("a path with a blank: %s", got)
	}
}

// FuzzIncludes: what we put in is found, and taking it out again restores each byte.
func FuzzIncludes(f *testing.F) {
	f.Add([]byte("Host *\n\tUser a\nMatch exec \"true\"\r\nInclude x y\n"), ours)
	f.Add([]byte("Host *\n"), "/\f")
	f.Add([]byte("Include = \"a\\\"b\" 'c d' # e"), "/a b/c=d/e#f/o'brien")
	f.Fuzz(func(t *testing.T, config []byte, path string) {
		if !strings.HasPrefix(path, "/") || CheckPath(path) != nil || absolute(path, "/h", "/h/.ssh") != path {
			return
		}
		with := withInclude(config, path)
		found := includes(with, path, "/h", "/h/.ssh")
		if len(found) == 0 || found[0].start != 0 || !found[0].always || !found[0].alone {
			t.Fatalf("%q is not found in %q: %+v", path, with, found)
		}
		if got := without(with, found[:1]); !bytes.Equal(got, config) {
			t.Fatalf("%q became %q", config, got)
		}
	})
}
