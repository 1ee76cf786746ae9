package files

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
)

// world is a directory with files, which a txtar-like table would make harder to read.
func world(t *testing.T, files map[string]string) (*Files, string) {
	t.Helper()
	dir := tooltest.Dir(t, files)
	return New(Config{Dir: dir}), dir
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q, want %q in it", err, part)
		}
	}
}
