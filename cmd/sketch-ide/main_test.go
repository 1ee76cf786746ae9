package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this test binary as sketch-ide, so that the host's half runs under the race detector. What goes into containers is the
// real thing, built here: a test binary is dynamically linked.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sketch-cmd-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if os.Getenv("SKETCH_IDE_AGENT") == "" && filepath.Base(os.Args[0]) != "sketch-ide" {
		binary := filepath.Join(dir, "sketch-ide")
		build := exec.Command("go", "build", "-o", binary, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build sketch-ide: %v\n%s", err, out)
			os.Exit(1)
		}
		os.Setenv("SKETCH_IDE_AGENT", binary)
	}
	os.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config")) // whoever runs the tests may have settings
	testscript.Main(cleanUp{m, dir}, map[string]func(){"sketch-ide": main})
}

// cleanUp removes the built binary when the tests have run.
type cleanUp struct {
	m   *testing.M
	dir string
}

func (c cleanUp) Run() int {
	defer os.RemoveAll(c.dir)
	return c.m.Run()
}

func testBase() string {
	if image := os.Getenv("SKETCH_IDE_BASE_IMAGE"); image != "" {
		return image
	}
	return "sketch-ide/debian:bookworm"
}

// ownBinary is the real program, for tests that need a process of their own.
func ownBinary(t *testing.T) string {
	t.Helper()
	return os.Getenv("SKETCH_IDE_AGENT")
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(context.WithoutCancel(t.Context()), ownBinary(t), args...)
}
