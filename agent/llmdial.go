//go:build linux

package agent

import (
	"context"
	"net"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// openLLM opens an HTTP/1.1 connection to the host's gateway. It waits for a host that is not connected, which may be about to reconnect,
// until ctx ends.
func (p *inside) openLLM(ctx context.Context) (hostConn, error) {
	stream, err := p.ssh.OpenHost(ctx, sshwire.ChannelLLM, nil)
	return hostConn{stream}, err
}

// hostConn is a channel as net/http wants it (a net.Conn). Deadlines are not kept: the client that it is for ends what takes too long by closing it.
type hostConn struct{ *sshwire.Stream }

// hostAddr is the address of either end, which has none.
type hostAddr struct{}

var _ net.Conn = hostConn{}

func (hostAddr) Network() string { return "ssh" }
func (hostAddr) String() string  { return "host" }

func (hostConn) LocalAddr() net.Addr              { return hostAddr{} }
func (hostConn) RemoteAddr() net.Addr             { return hostAddr{} }
func (hostConn) SetDeadline(time.Time) error      { return nil }
func (hostConn) SetReadDeadline(time.Time) error  { return nil }
func (hostConn) SetWriteDeadline(time.Time) error { return nil }
