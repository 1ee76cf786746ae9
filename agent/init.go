//go:build linux

package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
)

// runInit is the duty of process 1, for containers without an init of the engine's: it runs the program once more as a child, with the
// same arguments, and reaps whatever becomes an orphan. The agent itself then waits for its own children only, and the two never
// compete for one. When ctx ends the child is told to end.
func runInit(ctx context.Context, log *slog.Logger) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/proc/self/exe", os.Args[1:]...)
	// Not ended by ctx, which would kill it: it is told to end, below.
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run agent as a child of process 1: %w", err)
	}
	log.Info("process 1 has no init: reaping", "child", cmd.Process.Pid)
	child := cmd.Process.Pid
	defer context.AfterFunc(ctx, func() {
		if err := syscall.Kill(child, syscall.SIGTERM); err != nil {
			log.Debug("tell agent to end", "err", err)
		}
	})()
	status, err := reapUntil(child)
	if err != nil {
		return fmt.Errorf("wait for agent: %w", err)
	}
	if !status.Exited() || status.ExitStatus() != 0 {
		return fmt.Errorf("agent ended: %w", &childError{status})
	}
	return nil
}

// reapUntil waits for every child until the one that matters has ended.
func reapUntil(child int) (syscall.WaitStatus, error) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, err
		case pid == child:
			return status, nil
		}
	}
}

type childError struct{ status syscall.WaitStatus }

func (e *childError) Error() string {
	if e.status.Signaled() {
		return "signal: " + e.status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", e.status.ExitStatus())
}
