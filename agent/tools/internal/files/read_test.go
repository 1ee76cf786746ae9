package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&many, "line %d\n", i+1)
	}
	f, dir := world(t, map[string]string{
		"a.txt": "one\r\ntwo\nthree", "many.txt": many.String(), "empty": "", "latin1": "caf\xe9\n", "late zero": strings.Repeat("x\n", 600) + "\x00\n",
		"wide": strings.Repeat("w", 10_000_000) + "\nnext\n", "bin": "\x7fELF\x00\x01", "pic": "\x89PNG\r\n\x1a\n....", "Config.yaml": "", "docs/read_me.md": "",
	})
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path         string
		first, count int
		wants        []string
		fails        bool
	}{
		{path: "a.txt", wants: []string{"     1\tone\n     2\ttwo\n     3\tthree\n"}},
		{path: filepath.Join(dir, "a.txt"), first: 2, count: 1, wants: []string{"     2\ttwo\n[there is more: read on from line 3]\n"}},
		{path: "a.txt", first: 4, wants: []string{"has 3 lines only"}},
		{path: "many.txt", wants: []string{"  2000\tline 2000\n[there is more: read on from line 2001]"}},
		{path: "many.txt", first: 4990, wants: []string{"  4990\tline 4990\n", "  5000\tline 5000\n"}},
		{path: "many.txt", first: -3, count: 100_000, wants: []string{"     1\tline 1\n"}},
		{path: "empty", wants: []string{"empty is empty"}},
		{path: "latin1", wants: []string{"caf\uFFFD"}},
		{path: "late zero", wants: []string{"\t\uFFFD\n"}},
		{path: "wide", wants: []string{"www […]\n     2\tnext\n[1 lines were longer"}},
		{path: "pic", wants: []string{"pic: image/png of 12 bytes"}},
		{path: "bin", wants: []string{"is a binary file of 6 bytes"}, fails: true},
		{path: "fifo", wants: []string{"no regular file"}, fails: true},
		{path: "/dev/zero", wants: []string{"no regular file"}, fails: true},
		{path: "docs", wants: []string{"is a directory"}, fails: true},
		{path: "config.yml", wants: []string{"does not exist. Did you mean Config.yaml?"}, fails: true},
		{path: "no/such/dir", wants: []string{"directory does not exist either"}, fails: true},
		{path: "/proc/self/status", wants: []string{"Name:"}},
	} {
		got, err := f.Read(t.Context(), test.path, test.first, test.count)
		if test.fails {
			wantError(t, err, test.wants...)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.path, err)
		}
		for _, want := range test.wants {
			if !strings.Contains(got.Text, want) {
				t.Errorf("%s: %.300q, want %q", test.path, got.Text, want)
			}
		}
		if len(got.Text) > maxReadBytes+30*maxReadLines {
			t.Errorf("%s: %d bytes", test.path, len(got.Text))
		}
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f, _ := world(t, map[string]string{"long": strings.Repeat("\n", 1_000_000)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Read(ctx, "long", 900_000, 1); err == nil {
		t.Error("no error")
	}
	if _, err := f.Search(ctx, Query{Pattern: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("search: %v", err)
	}
	if _, err := f.List(ctx, "", "*"); !errors.Is(err, context.Canceled) {
		t.Errorf("list: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	tree := map[string]string{
		"main.go": "x", "cmd/a/a.go": "", "cmd/a/a_test.go": "", "cmd/b.go": "", "README.md": "hello", ".hidden/x.go": "", "ignored/y.go": "", ".gitignore": "ignored/\n",
		"node_modules/z.go": "",
	}
	for _, repository := range []bool{true, false} {
		t.Run(fmt.Sprintf("repository %v", repository), func(t *testing.T) {
			t.Parallel()
			f, dir := world(t, tree)
			ignored := "ignored/y.go\n"
			if repository {
				git(t, dir, "init", "-q")
				if err := os.WriteFile(filepath.Join(dir, ".git/info/exclude"), []byte("node_modules\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				ignored = ""
			}
			for _, test := range []struct{ path, pattern, want string }{
				{"", "*.go", ".hidden/x.go\ncmd/a/a.go\ncmd/a/a_test.go\ncmd/b.go\n" + ignored + "main.go\n"},
				{"cmd", "*.go", "cmd/a/a.go\ncmd/a/a_test.go\ncmd/b.go\n"},
				{"", "cmd/**/*.go", "cmd/a/a.go\ncmd/a/a_test.go\ncmd/b.go\n"},
				{"", "cmd/*.go", "cmd/b.go\n"},
				{"", "{main,[a-c]}.{go,md}", "cmd/a/a.go\ncmd/b.go\nmain.go\n"},
				{"", "*.rs", "No file below . matches *.rs.\n"},
				{"cmd", "", "a/\nb.go\t0 bytes\n"},
				{"README.md", "", "README.md\t5 bytes\n"},
			} {
				got, err := f.List(t.Context(), test.path, test.pattern)
				if err != nil || got != test.want {
					t.Errorf("%s %s: %q, %v", test.path, test.pattern, got, err)
				}
			}
			_, err := f.List(t.Context(), "nope", "")
			wantError(t, err, "does not exist")
		})
	}
}

func TestListIsBounded(t *testing.T) {
	t.Parallel()
	f, dir := world(t, nil)
	for i := range maxListed + 20 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%04d", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string]string{"*": "[there are more", "": "[20 more]"} {
		got, err := f.List(t.Context(), "", pattern)
		if err != nil || strings.Count(got, "\n") != maxListed+1 || !strings.Contains(got, want) {
			t.Errorf("%q: %d lines, %v", pattern, strings.Count(got, "\n"), err)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("cmd/**/*.{go,mod}", "cmd/a/b.go")
	f.Add("[!a-z", "x")
	f.Add("**", "a/b")
	f.Fuzz(func(_ *testing.T, pattern, name string) {
		if match, err := compileGlob(pattern); err == nil {
			match(name)
		}
	})
}
