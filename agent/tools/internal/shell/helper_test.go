//go:build linux

package shell

import (
	"path/filepath"
	"testing"
	"time"
)

const patience = time.Minute

func newShell(t *testing.T, change ...func(*Config)) *Shell {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: dir, Spool: filepath.Join(dir, "spool"), Grace: 300 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	s := New(cfg)
	t.Cleanup(s.Close)
	return s
}

func run(t *testing.T, s *Shell, command string) Outcome {
	t.Helper()
	o, err := s.Run(t.Context(), command, patience, func(string) {})
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return o
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}

func alive(pid int) bool {
	state, _, ok := stat(pid)
	return ok && state != 'Z' && state != 'X'
}
