//go:build linux

package sshd

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/pkg/sftp"
)

const subsystemSFTP = "sftp"

// runSFTP serves the subsystem in this process, which runs as the very user, and leaves a goroutine that ends the channel with it.
func (s *session) runSFTP(ctx context.Context) {
	start := directory(s.conn.server.cfg.Workspace, s.account.home)
	server, err := sftp.NewServer(s.channel, sftp.WithServerWorkingDirectory(start))
	if err != nil {
		s.fail(fmt.Errorf("start sftp: %w", err))
		return
	}
	ended := make(chan syscall.WaitStatus, 1)
	// Ended by the client, or by the close below. It is not waited for without limit: an operation on a FIFO or a dead network
	// file system blocks for as long as it likes.
	go func() {
		defer s.conn.server.rescue("sftp")
		status := syscall.WaitStatus(1 << 8)
		defer func() { ended <- status }()
		if server.Serve() == nil {
			status = 0
		}
	}()
	// Ended by the above or by ctx; close waits.
	s.spawn(func() {
		select {
		case status := <-ended:
			s.exit(status)
			return
		case <-ctx.Done():
		}
		s.channel.Close()
		select {
		case <-ended:
		case <-time.After(s.conn.server.cfg.Limits.Grace):
			s.conn.log.Warn("sftp operation does not end")
		}
	})
}
