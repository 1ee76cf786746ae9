package proc

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tool := filepath.Join(dir, "tool")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "text"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=/nowhere", "PATH=.:" + dir}
	for want, names := range map[string][]string{tool: {"other", "tool"}, "/bin/sh": {"text", "/bin/sh"}, "": {"none", "/none"}} {
		if got := Find(env, names...); got != want {
			t.Errorf("%v: %q", names, got)
		}
	}
	if Find(nil, "sh") == "" || Getenv(nil, "PATH") != os.Getenv("PATH") || Getenv(env, "HOME") != "" {
		t.Error("nil is not the environment of this process")
	}
}

func TestCommandEndsAsAGroup(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := Command(ctx, nil, "/", "/bin/sh", "-c", "sleep 1000 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 20)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	child := "/proc/" + strings.TrimSpace(string(buf[:n])) + "/stat"
	cancel()
	if err := cmd.Wait(); err == nil {
		t.Error("no error")
	}
	for deadline := time.Now().Add(time.Minute); ; <-time.After(5 * time.Millisecond) {
		data, err := os.ReadFile(child)
		if err != nil || strings.Contains(string(data), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the child lives")
		}
	}
}
