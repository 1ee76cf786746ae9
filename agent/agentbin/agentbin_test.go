package agentbin

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// build compiles a real program and returns its path.
func build(t *testing.T, arch string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() { println(42) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "program")
	cmd := exec.Command("go", append(append([]string{"build", "-o", out}, flags...), "main.go")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, msg)
	}
	return out
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func pack(t *testing.T, data []byte) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func TestFind(t *testing.T) {
	t.Parallel()
	static, foreign := build(t, "amd64"), build(t, "arm64")
	interpreted := build(t, "amd64", "-buildmode=pie") // names a dynamic loader, as a cgo build does
	amd64, arm64, pie := read(t, static), read(t, foreign), read(t, interpreted)
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	own := func(data []byte) func() ([]byte, error) { return func() ([]byte, error) { return data, nil } }
	release := fstest.MapFS{embeddedName("amd64"): pack(t, amd64), embeddedName("arm64"): pack(t, arm64)}
	const program = "github.com/sketch-ide/sketch-ide/cmd/sketch-ide"

	for _, tt := range []struct {
		name   string
		source source
		arch   string
		want   []byte // nil: an *Error whose words follow
		reason string
		hint   string
	}{
		{"its own", source{goos: "linux", program: program, own: own(amd64)}, "amd64", amd64, "", ""},
		{"its own rather than an embedded one", source{goos: "linux", program: program, own: own(amd64), embedded: fstest.MapFS{}}, "amd64", amd64, "", ""},
		{"embedded for another architecture", source{goos: "linux", program: program, own: own(amd64), embedded: release}, "arm64", arm64, "", ""},
		{"embedded on macOS", source{goos: "darwin", program: program, embedded: release}, "arm64", arm64, "", ""},
		{"embedded instead of a dynamic one", source{goos: "linux", program: program, own: own(pie), embedded: release}, "amd64", amd64, "", ""},
		{"named", source{goos: "linux", program: program, named: foreign, own: own(amd64), embedded: release}, "arm64", arm64, "", ""},
		{"named in a test", source{goos: "linux", program: "session.test", named: static, own: own(pie)}, "amd64", amd64, "", ""},

		{"dynamic", source{goos: "linux", program: program, own: own(pie)}, "amd64", nil, "dynamically linked", "CGO_ENABLED=0"},
		{"another architecture", source{goos: "linux", program: program, own: own(amd64)}, "arm64", nil, "another architecture", "GOARCH=arm64"},
		{"macOS without release", source{goos: "darwin", program: program}, "arm64", nil, "build for darwin", "make release"},
		{"a test", source{goos: "linux", program: "session.test", own: own(amd64)}, "amd64", nil, "test", Variable},
		{"an unknown architecture", source{goos: "linux", program: program, own: own(amd64), embedded: release}, "../../etc", nil, "architecture", "Build"},
		{"a bad embedded one", source{goos: "darwin", program: program, embedded: fstest.MapFS{embeddedName("amd64"): pack(t, arm64)}}, "amd64", nil, "another architecture", "release"},
		{"named for another architecture", source{goos: "linux", named: foreign, own: own(amd64)}, "amd64", nil, "another architecture", "GOARCH=amd64"},
		{"named and no executable", source{goos: "linux", named: script, own: own(amd64)}, "amd64", nil, "not a Linux executable", "Build"},
		{"named and dynamic", source{goos: "linux", named: interpreted, own: own(amd64)}, "amd64", nil, "dynamically linked", "CGO_ENABLED=0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.source.find(tt.arch)
			if tt.want != nil {
				if err != nil || !bytes.Equal(got, tt.want) {
					t.Errorf("got %d bytes, %v; want %d bytes", len(got), err, len(tt.want))
				}
				return
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || got != nil {
				t.Fatalf("got %d bytes and %v, want an *Error", len(got), err)
			}
			if !strings.Contains(e.Reason, tt.reason) || !strings.Contains(e.Hint, tt.hint) || e.Arch != tt.arch {
				t.Errorf("got %q, hint %q; want %q, hint %q", e, e.Hint, tt.reason, tt.hint)
			}
		})
	}
}

func TestFindCannotRead(t *testing.T) {
	t.Parallel()
	broken := &fstest.MapFile{Data: []byte("this is no gzip file")}
	for _, tt := range []struct {
		name   string
		source source
		want   error
	}{
		{"the named file", source{named: filepath.Join(t.TempDir(), "absent")}, fs.ErrNotExist},
		{"its own file", source{goos: "linux", own: func() ([]byte, error) { return nil, fs.ErrPermission }}, fs.ErrPermission},
		{"the embedded file", source{goos: "darwin", embedded: fstest.MapFS{embeddedName("amd64"): broken}}, gzip.ErrHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := tt.source.find("amd64"); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFor(t *testing.T) {
	path := build(t, runtime.GOARCH)
	t.Setenv(Variable, path)
	got, err := For(runtime.GOARCH)
	if err != nil || !bytes.Equal(got, read(t, path)) {
		t.Errorf("named: got %d bytes, %v", len(got), err)
	}
	t.Setenv(Variable, "")
	if _, err := For(runtime.GOARCH); err == nil || !strings.Contains(err.Error(), "none is embedded") {
		t.Errorf("a test took itself for the agent: %v", err)
	}
}

func FuzzUnfit(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"), "amd64")
	f.Add([]byte{}, "arm64")
	f.Add([]byte("#!/bin/sh"), "s390x")
	f.Fuzz(func(t *testing.T, data []byte, arch string) {
		if len(data) < 64 && unfit(data, arch) == "" {
			t.Errorf("%q is taken for an executable", data)
		}
	})
}

func TestNames(t *testing.T) {
	first, second := build(t, runtime.GOARCH), build(t, runtime.GOARCH, "-ldflags=-s")
	named := filepath.Join(t.TempDir(), "agent")
	t.Setenv(Variable, named)
	var names Names
	if _, err := names.ID(runtime.GOARCH); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	id := func(content string) string {
		t.Helper()
		if err := os.WriteFile(named, read(t, content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := names.ID(runtime.GOARCH)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	one, two, again := id(first), id(second), id(first)
	if one == "" || one == two || one != again {
		t.Errorf("names are %q, %q, and for the first again %q", one, two, again)
	}
	if _, err := names.ID("../../etc"); err == nil {
		t.Error("an unknown architecture has a name")
	}
}
