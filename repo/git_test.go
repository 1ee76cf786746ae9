package repo

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A window may be closed while git has a ref locked, in somebody's repository: the lock must not stay.
func TestEndedGitLeavesNoLock(t *testing.T) {
	t.Parallel()
	host := mustOpen(t, newHost(t, "project"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := command(ctx, environment(), "-C", host.Root, "update-ref", "--stdin")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	const ref = "refs/sketch/x/base"
	if _, err := fmt.Fprintf(in, "start\nupdate %s %s\nprepare\n", ref, host.Head); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(out)
	for answers.Scan() && answers.Text() != "prepare: ok" {
	}
	lock := filepath.Join(host.CommonDir, filepath.FromSlash(ref)+".lock")
	if _, err := os.Stat(lock); err != nil {
		t.Fatalf("it holds no lock: %v", err)
	}
	cancel()
	_, _ = io.Copy(io.Discard, out) // until its end
	if err := cmd.Wait(); err == nil {
		t.Error("it ended well")
	}
	if _, err := os.Stat(lock); !os.IsNotExist(err) {
		t.Errorf("the lock is left behind: %v", err)
	}
}
