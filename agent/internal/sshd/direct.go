//go:build linux

package sshd

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

const (
	dialTimeout = 10 * time.Second
	maxHostName = 253
	maxPath     = 107 // sun_path of unix(7) less its terminating zero
)

// serveDirectTCPIP connects the channel to an address as seen from the container (RFC 4254 §7.2).
func (c *connection) serveDirectTCPIP(ctx context.Context, channel ssh.NewChannel) {
	target, err := sshwire.Unmarshal[sshwire.DirectTCPIP](channel.ExtraData())
	if err != nil || target.Port == 0 || target.Port > 65535 || len(target.Host) > maxHostName {
		channel.Reject(ssh.ConnectionFailed, "malformed address")
		return
	}
	defer c.server.visit(uint16(target.Port))()
	c.serveDirect(ctx, channel, "tcp", net.JoinHostPort(target.Host, strconv.Itoa(int(target.Port))))
}

// serveDirectStreamlocal connects the channel to a unix socket (OpenSSH PROTOCOL §2.4).
func (c *connection) serveDirectStreamlocal(ctx context.Context, channel ssh.NewChannel) {
	target, err := sshwire.Unmarshal[sshwire.DirectStreamlocal](channel.ExtraData())
	if err != nil || target.Path == "" || len(target.Path) > maxPath {
		channel.Reject(ssh.ConnectionFailed, "malformed path")
		return
	}
	c.serveDirect(ctx, channel, "unix", target.Path)
}

func (c *connection) serveDirect(ctx context.Context, channel ssh.NewChannel, network, address string) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		channel.Reject(ssh.ConnectionFailed, reason(err))
		return
	}
	ch, requests, err := channel.Accept()
	if err != nil {
		conn.Close()
		return
	}
	relay(ctx, sshwire.NewStream(ch, requests, c.transport), conn.(sshwire.HalfCloser))
}

// relay copies until both ends are done. The end of ctx, which is the end of the SSH connection, resets the other side: a stream whose
// connection broke must not look complete.
func relay(ctx context.Context, stream *sshwire.Stream, conn sshwire.HalfCloser) {
	stop := context.AfterFunc(ctx, func() { sshwire.Abort(conn) })
	defer stop()
	sshwire.Relay(stream, conn) // how a stream of somebody else's ended is their matter
}

// reason is what a client is told: the system's word for what happened, without the container's details.
func reason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "no such host"
	}
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		return "timeout"
	}
	return "connection failed"
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
