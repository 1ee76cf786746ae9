package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// DialContext opens a connection inside the container: network "tcp" (also tcp4, tcp6) to host:port, or "unix" to a
// path. While the connection to the container is down it waits for its return as long as ctx allows.
//
// The result has CloseWrite, and Abort, which resets it. It has no deadlines: their setters return os.ErrNoDeadline.
func (c *Conn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	kind, payload, remote, err := target(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var conn *channelConn
	err = c.withLink(ctx, func(l *link) error {
		var err error
		conn, err = l.dial(ctx, kind, payload, remote)
		return err
	})
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: remote, Err: refusal(err)}
	}
	return conn, nil
}

// refusal makes the container's refusal of a channel fit to be shown, and ErrRefused where it is one.
func refusal(err error) error {
	refused, ok := errors.AsType[*ssh.OpenChannelError](err)
	switch {
	case !ok:
		return err
	case refused.Reason == ssh.ConnectionFailed:
		return fmt.Errorf("%w: %s", ErrRefused, printable(refused.Message, maxPeerText))
	}
	return &peerError{err}
}

// withLink calls use with the live connection, and again with the next one when it died meanwhile.
func (c *Conn) withLink(ctx context.Context, use func(*link) error) error {
	for {
		l, err := c.awaitLink(ctx)
		if err != nil {
			return err
		}
		err = use(l)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if _, refused := errors.AsType[*ssh.OpenChannelError](err); refused {
			return err
		}
		// Anything else is the end of the connection, which Run is about to notice.
		select {
		case <-l.dead:
		case <-ctx.Done():
			return notConnected(ctx, err)
		}
	}
}

// awaitLink waits for the connection to be up.
func (c *Conn) awaitLink(ctx context.Context) (*link, error) {
	for {
		c.mu.Lock()
		l, state, ended, changed := c.link, c.state, c.ended, c.changed
		c.mu.Unlock()
		switch {
		case ended != nil:
			return nil, ended
		case l != nil && !l.isDead():
			return l, nil
		case errors.Is(state.Err, ErrHostKey):
			return nil, state.Err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, notConnected(ctx, state.Err)
		}
	}
}

func (l *link) isDead() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

// notConnected is the error of a call whose ctx ended before there was a connection, for the reason why.
func notConnected(ctx context.Context, why error) error {
	if why == nil {
		return fmt.Errorf("%w: %w", ErrNotConnected, ctx.Err())
	}
	return fmt.Errorf("%w: %w (%w)", ErrNotConnected, why, ctx.Err())
}

// target translates an address to the channel that reaches it.
func target(network, address string) (kind string, payload []byte, remote net.Addr, err error) {
	switch network {
	case "unix":
		return sshwire.ChannelDirectStreamlocal, ssh.Marshal(sshwire.DirectStreamlocal{Path: address}), channelAddr{network, address}, nil
	case "tcp", "tcp4", "tcp6":
		host, service, err := net.SplitHostPort(address)
		if err != nil {
			return "", nil, nil, err
		}
		port, err := strconv.ParseUint(service, 10, 16)
		if err != nil {
			return "", nil, nil, fmt.Errorf("parse port of %q: %w", address, err)
		}
		// We are the origin, and there is no address of ours that would mean anything inside.
		open := sshwire.DirectTCPIP{Host: host, Port: uint32(port), OriginHost: "127.0.0.1"}
		return sshwire.ChannelDirectTCPIP, ssh.Marshal(open), channelAddr{network, address}, nil
	}
	return "", nil, nil, net.UnknownNetworkError(network)
}

// channelAddr is an address inside the container.
type channelAddr struct{ network, address string }

func (a channelAddr) Network() string { return a.network }
func (a channelAddr) String() string  { return a.address }

// channelConn is a channel as a net.Conn.
type channelConn struct {
	*sshwire.Stream
	link   *link
	remote net.Addr
	leave  func() // may be called more than once
}

// Close closes the channel; see closeTimeout for a peer that does not confirm.
func (c *channelConn) Close() error {
	c.leave()
	c.link.guard(c.Stream)
	return c.Stream.Close()
}

// Abort closes the channel so that the other end sees a reset.
func (c *channelConn) Abort() error {
	c.leave()
	c.link.guard(c.Stream)
	return c.Stream.Abort()
}

func (c *channelConn) LocalAddr() net.Addr  { return channelAddr{c.remote.Network(), ""} }
func (c *channelConn) RemoteAddr() net.Addr { return c.remote }

func (c *channelConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (c *channelConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (c *channelConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
