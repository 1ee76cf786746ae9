//go:build linux

package shell

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
)

func newShell(t *testing.T, change ...func(*Config)) *Shell {
	t.Helper()
	dir := tooltest.Dir(t, nil)
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
	o, err := s.Run(t.Context(), command, tooltest.Patience, func(string) {})
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return o
}

func alive(pid int) bool {
	state, _, ok := stat(pid)
	return ok && state != 'Z' && state != 'X'
}
