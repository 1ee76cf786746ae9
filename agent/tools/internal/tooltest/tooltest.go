// Package tooltest is what the tests of the tools share: a folder with files, and waiting for what others do. Nothing but tests imports it.
package tooltest

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Patience is how long is waited for what happens at once on an idle machine.
const Patience = time.Minute

// Dir makes a folder with these files, by their paths in it, and returns its name without symbolic links, as tools tell it.
func Dir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	Write(t, dir, files)
	return dir
}

// Write writes these files into a folder, by their paths in it.
func Write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Eventually waits until something is so, which what names.
func Eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(Patience); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}
