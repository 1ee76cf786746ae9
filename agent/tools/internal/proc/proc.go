// Package proc finds and starts helper programs (git, go, Chromium, MCP servers) in the environment that the agent's commands have, which is not
// that of this process. What it starts is a process group that ends as a whole. It starts no goroutine.
package proc

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Getenv returns the value of a variable in an environment; nil is that of this process.
func Getenv(env []string, name string) string {
	if env == nil {
		return os.Getenv(name)
	}
	value := ""
	for _, entry := range env {
		if n, v, _ := strings.Cut(entry, "="); n == name {
			value = v // the last one counts, as for a process
		}
	}
	return value
}

// Find returns the first of some programs that is on the environment's PATH, or in one of the named places; else "".
func Find(env []string, names ...string) string {
	for _, name := range names {
		if filepath.IsAbs(name) {
			if executable(name) {
				return name
			}
			continue
		}
		for _, dir := range filepath.SplitList(Getenv(env, "PATH")) {
			if path := filepath.Join(dir, name); filepath.IsAbs(path) && executable(path) {
				return path
			}
		}
	}
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Command returns a command in a process group of its own. The end of ctx kills the group; output that somebody else holds on to is not
// waited for.
func Command(ctx context.Context, env []string, dir, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Dir = env, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}
