package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// packages are the folders of the packages that docs/port-promises.md names.
var packages = map[string]string{
	"agent": "agent", "devcontainer": "devcontainer", "jsonrpc": "jsonrpc", "main": "cmd/sketch-ide", "ports": "ports", "session": "session",
	"sshwire": "internal/sshwire", "tunnel": "tunnel",
}

// TestPromisesNameTests sees to it that the list of promises cannot rot: each line names tests, and they exist.
func TestPromisesNameTests(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("../../docs/port-promises.md")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for name, dir := range packages {
		sources[name] = testSources(t, filepath.Join("../..", dir))
	}
	test := regexp.MustCompile("`([a-z]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)(?:/([^`]+))?`")
	rows := 0
	for line := range strings.Lines(string(list)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| promise") {
			continue
		}
		rows++
		named := test.FindAllStringSubmatch(line, -1)
		if len(named) == 0 {
			t.Errorf("no test: %s", line)
		}
		for _, m := range named {
			source, known := sources[m[1]]
			switch {
			case !known:
				t.Errorf("%s: no such package", m[0])
			case !strings.Contains(source, "\nfunc "+m[2]+"("):
				t.Errorf("%s: no such test", m[0])
			case m[3] != "" && !strings.Contains(source, `"`+m[3]+`"`) && !isScript(packages[m[1]], m[3]):
				t.Errorf("%s: no such case", m[0])
			}
		}
	}
	if rows < 60 {
		t.Errorf("%d promises are left", rows)
	}
}

// testSources is the text of a folder's tests.
func testSources(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// isScript tells whether a case is a file: a conversation or a script.
func isScript(dir, name string) bool {
	found, _ := filepath.Glob(filepath.Join("../..", dir, "testdata", "*", name+".txtar")) // of a pattern that is not malformed
	return len(found) == 1
}
