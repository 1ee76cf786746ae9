package jsonrpc

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// watchInterval is how long the death of the editor may go unseen. Mostly the end of its pipe is seen at once; this is
// for one whose pipe a child of it keeps open.
const watchInterval = 2 * time.Second

// watchEditor ends the connection when the process that started it is gone (processId of initialize). A process that
// cannot be seen from the start belongs to another PID namespace, as with an editor in a Flatpak, and says nothing.
func (s *Server) watchEditor(ctx context.Context, pid int) {
	process, err := os.FindProcess(pid) // on Linux a pidfd: a reused number is not mistaken for the editor
	if err != nil || !alive(process) {
		s.cfg.Log.Info("cannot see the editor's process", "pid", pid)
		return
	}
	watch(ctx, func() bool { return alive(process) }, func() { s.link.end(errEditorDied) })
	if err := process.Release(); err != nil {
		s.cfg.Log.Debug("release process", "err", err)
	}
}

// watch calls died when alive no longer says so, and returns then or when ctx ends.
func watch(ctx context.Context, alive func() bool, died func()) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for alive() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
	died()
}

// alive reports whether a process exists; one that may not be signalled does.
func alive(process *os.Process) bool {
	err := process.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}
