//go:build linux

package sshd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/agent/internal/unixsock"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// Requests for unix sockets (OpenSSH PROTOCOL §2.4); their payload is streamlocalForward.
const (
	requestStreamlocalForward       = "streamlocal-forward@openssh.com"
	requestCancelStreamlocalForward = "cancel-streamlocal-forward@openssh.com"
)

type streamlocalForward struct{ Path string }

var (
	errForwardLimit = errors.New("too many forwards")
	errForwardTaken = errors.New("forwarded already")
	errForwardNone  = errors.New("no such forward")
	errForwardWhere = errors.New("malformed address")
)

// remoteForward is what one ssh -R listens on: one unix socket, or one port on one or both loopback addresses.
type remoteForward struct {
	listeners []net.Listener
	accepting sync.WaitGroup
}

func (f *remoteForward) close() {
	for _, ln := range f.listeners {
		ln.Close()
	}
	f.accepting.Wait()
}

// changeForwards answers the four requests of ssh -R.
func (c *connection) changeForwards(ctx context.Context, request string, payload []byte) (ok bool, reply []byte) {
	var err error
	switch request {
	case sshwire.RequestTCPIPForward:
		reply, err = c.forwardTCP(ctx, payload)
	case requestStreamlocalForward:
		err = c.forwardUnix(ctx, payload)
	case sshwire.RequestCancelTCPIPForward:
		var msg sshwire.TCPIPForward
		if msg, err = sshwire.Unmarshal[sshwire.TCPIPForward](payload); err == nil {
			err = c.cancelForward(tcpKey(msg))
		}
	case requestCancelStreamlocalForward:
		var msg streamlocalForward
		if msg, err = sshwire.Unmarshal[streamlocalForward](payload); err == nil {
			err = c.cancelForward(unixKey(msg.Path))
		}
	}
	if err != nil {
		c.log.Info("remote forward refused", "request", request, "err", err)
	}
	return err == nil, reply
}

func tcpKey(msg sshwire.TCPIPForward) string {
	return "tcp " + net.JoinHostPort(msg.Host, strconv.Itoa(int(msg.Port)))
}

func unixKey(path string) string { return "unix " + path }

// forwardTCP listens for the client on the loopback addresses, whatever address it asks for: like sshd's GatewayPorts=no, so that the
// client's services do not become those of the container's network.
func (c *connection) forwardTCP(ctx context.Context, payload []byte) ([]byte, error) {
	msg, err := sshwire.Unmarshal[sshwire.TCPIPForward](payload)
	if err != nil || msg.Port > 65535 || len(msg.Host) > maxHostName {
		return nil, errForwardWhere
	}
	listeners, err := listenLoopback(ctx, msg.Host, int(msg.Port))
	if err != nil {
		return nil, err
	}
	chosen := uint32(listeners[0].Addr().(*net.TCPAddr).Port)
	asked := msg.Port
	msg.Port = chosen
	err = c.addForward(ctx, tcpKey(msg), listeners, func(conn net.Conn) (string, []byte) {
		origin, _ := conn.RemoteAddr().(*net.TCPAddr)
		return sshwire.ChannelForwardedTCPIP, ssh.Marshal(sshwire.ForwardedTCPIP{
			Host: msg.Host, Port: chosen, OriginHost: origin.IP.String(), OriginPort: uint32(origin.Port),
		})
	})
	if err != nil || asked != 0 {
		return nil, err
	}
	return ssh.Marshal(sshwire.TCPIPForwardReply{Port: chosen}), nil
}

// listenLoopback listens on both loopback addresses, or on the one that was asked for. A container without IPv6 has one only.
func listenLoopback(ctx context.Context, host string, port int) ([]net.Listener, error) {
	addresses := []string{"127.0.0.1", "::1"}
	if host == addresses[0] || host == addresses[1] {
		addresses = []string{host}
	}
	var config net.ListenConfig
	first, err := config.Listen(ctx, "tcp", net.JoinHostPort(addresses[0], strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	listeners := []net.Listener{first}
	if len(addresses) > 1 {
		port := first.Addr().(*net.TCPAddr).Port
		if second, err := config.Listen(ctx, "tcp", net.JoinHostPort(addresses[1], strconv.Itoa(port))); err == nil {
			listeners = append(listeners, second)
		}
	}
	return listeners, nil
}

func (c *connection) forwardUnix(ctx context.Context, payload []byte) error {
	msg, err := sshwire.Unmarshal[streamlocalForward](payload)
	if err != nil || msg.Path == "" || len(msg.Path) > maxPath {
		return errForwardWhere
	}
	ln, err := unixsock.Listen(ctx, msg.Path)
	if err != nil {
		return err
	}
	return c.addForward(ctx, unixKey(msg.Path), []net.Listener{ln}, func(net.Conn) (string, []byte) {
		return sshwire.ChannelForwardedStreamlocal, ssh.Marshal(sshwire.ForwardedStreamlocal{Path: msg.Path})
	})
}

// addForward starts to accept for the client; it owns the listeners from here on.
func (c *connection) addForward(ctx context.Context, key string, listeners []net.Listener, announce func(net.Conn) (string, []byte)) error {
	f := &remoteForward{listeners: listeners}
	c.mu.Lock()
	var err error
	switch {
	case c.forwards == nil:
		err = net.ErrClosed
	case c.forwards[key] != nil:
		err = errForwardTaken
	case len(c.forwards) >= c.server.cfg.Limits.Forwards:
		err = errForwardLimit
	default:
		c.forwards[key] = f
	}
	c.mu.Unlock()
	if err != nil {
		f.close()
		return fmt.Errorf("%s: %w", key, err)
	}
	for _, ln := range listeners {
		// Ended by remoteForward.close, which waits; serve closes what is left.
		f.accepting.Go(func() { c.acceptForward(ctx, ln, announce) })
	}
	return nil
}

func (c *connection) acceptForward(ctx context.Context, ln net.Listener, announce func(net.Conn) (string, []byte)) {
	for {
		conn, err := ln.Accept()
		if err != nil && !errors.Is(err, net.ErrClosed) && c.server.retry(ctx, err) {
			continue
		}
		if err != nil {
			return
		}
		if ctx.Err() != nil || !c.take(false) {
			sshwire.Abort(conn)
			continue
		}
		// Ended by either end of the stream or by ctx; serve waits.
		c.spawn("remote forward", func() {
			defer c.give(false)
			c.serveForwarded(ctx, conn, announce)
		})
	}
}

func (c *connection) serveForwarded(ctx context.Context, conn net.Conn, announce func(net.Conn) (string, []byte)) {
	channelType, extra := announce(conn)
	channel, requests, err := c.conn.OpenChannel(channelType, extra)
	if err != nil {
		sshwire.Abort(conn) // the client's side refused: so does ours
		return
	}
	relay(ctx, sshwire.NewStream(channel, requests, c.transport), conn.(sshwire.HalfCloser))
}

func (c *connection) cancelForward(key string) error {
	c.mu.Lock()
	f := c.forwards[key]
	delete(c.forwards, key)
	c.mu.Unlock()
	if f == nil {
		return fmt.Errorf("%s: %w", clip(key), errForwardNone)
	}
	f.close()
	return nil
}

// closeForwards ends what is left when the client is gone. No request can add another afterwards.
func (c *connection) closeForwards() {
	c.mu.Lock()
	forwards := c.forwards
	c.forwards = nil
	c.mu.Unlock()
	for _, f := range forwards {
		f.close()
	}
}
