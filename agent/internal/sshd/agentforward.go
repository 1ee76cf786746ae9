//go:build linux

package sshd

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/sketch-ide/sketch-ide/agent/internal/unixsock"
)

// OpenSSH's names for the forwarding of an ssh-agent (draft-ietf-sshm-ssh-agent §4, the names in use).
const (
	requestAgent = "auth-agent-req@openssh.com"
	channelAgent = "auth-agent@openssh.com"
)

// agentVariable tells programs where the forwarded ssh-agent is.
const agentVariable = "SSH_AUTH_SOCK"

// forwardAgent makes a socket through which this session's processes reach the client's ssh-agent, for as long as the session lasts. Whether there is one to
// reach is the client's decision alone: it refuses the channels of an agent that it does not forward.
func (s *session) forwardAgent(ctx context.Context) error {
	if s.started || s.agentDir != "" {
		return errStarted
	}
	dir, err := os.MkdirTemp("", "ssh-agent-") // 0700
	if err != nil {
		return fmt.Errorf("make ssh-agent socket: %w", err)
	}
	path := filepath.Join(dir, "socket")
	ln, err := unixsock.Listen(ctx, path)
	if err == nil {
		err = s.conn.addForward(ctx, unixKey(path), []net.Listener{ln}, func(net.Conn) (string, []byte) { return channelAgent, nil })
	}
	if err != nil {
		os.RemoveAll(dir)
		return err
	}
	s.agentDir = dir
	s.env[agentVariable] = path
	return nil
}

// endAgent removes the socket.
func (s *session) endAgent() {
	if s.agentDir == "" {
		return
	}
	_ = s.conn.cancelForward(unixKey(filepath.Join(s.agentDir, "socket"))) // gone already where the connection is
	os.RemoveAll(s.agentDir)
}
