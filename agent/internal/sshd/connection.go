//go:build linux

package sshd

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// connection is one client that has logged in.
type connection struct {
	server    *Server
	conn      ssh.Conn
	transport net.Conn // under conn
	log       *slog.Logger
	work      sync.WaitGroup // every goroutine of the connection

	mu       sync.Mutex // guards what follows
	channels int
	sessions int
	refusing bool          // no further sessions
	idle     chan struct{} // not nil while shutdown waits; closed when the last session has ended
	forwards map[string]*remoteForward
}

func newConnection(s *Server, conn ssh.Conn, transport net.Conn) *connection {
	return &connection{
		server:    s,
		conn:      conn,
		transport: transport,
		log:       s.log.With("remote", conn.RemoteAddr().String()),
		forwards:  make(map[string]*remoteForward),
	}
}

// serve returns when the client is gone and everything that it started has ended, except for processes that detached themselves.
// When ctx ends it hangs up the sessions, tells the client how they ended, and closes.
func (c *connection) serve(ctx context.Context, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	defer c.work.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Each is ended by the connection's end, and waited for above.
	c.spawn("requests", func() { c.serveRequests(ctx, requests) })
	c.spawn("keepalive", func() { c.keepalive(ctx) })
	c.spawn("shutdown", func() { c.shutdown(ctx) })
	for channel := range channels {
		c.open(ctx, channel)
	}
	c.closeForwards()
}

// spawn starts a goroutine of the connection. A panic in it ends this connection, and no other.
func (c *connection) spawn(name string, work func()) {
	c.work.Go(func() {
		defer c.server.rescue(name)
		finished := false
		defer func() {
			if !finished {
				c.conn.Close()
			}
		}()
		work()
		finished = true
	})
}

// open starts to serve a channel, or refuses it. It never blocks for long: the connection waits while it runs.
func (c *connection) open(ctx context.Context, channel ssh.NewChannel) {
	serve := c.handler(channel.ChannelType())
	if serve == nil {
		channel.Reject(ssh.UnknownChannelType, "unsupported channel type")
		return
	}
	session := channel.ChannelType() == sshwire.ChannelSession
	if !c.take(session) {
		channel.Reject(ssh.ResourceShortage, "too many channels")
		return
	}
	// Ended by the channel's or the connection's end; serve waits.
	c.spawn(channel.ChannelType(), func() {
		defer c.give(session)
		serve(ctx, channel)
	})
}

func (c *connection) handler(channelType string) func(context.Context, ssh.NewChannel) {
	switch channelType {
	case sshwire.ChannelSession:
		return c.serveSession
	case sshwire.ChannelDirectTCPIP:
		return c.serveDirectTCPIP
	case sshwire.ChannelDirectStreamlocal:
		return c.serveDirectStreamlocal
	}
	return nil
}

func (c *connection) take(session bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	limits := c.server.cfg.Limits
	if c.channels >= limits.Channels || session && (c.refusing || c.sessions >= limits.Sessions) {
		return false
	}
	c.channels++
	if session {
		c.sessions++
	}
	return true
}

func (c *connection) give(session bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.channels--
	if !session {
		return
	}
	c.sessions--
	if c.sessions == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// refuseSessions refuses further sessions, and returns a channel that is closed when none is left.
func (c *connection) refuseSessions() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusing = true
	idle := make(chan struct{})
	if c.sessions == 0 {
		close(idle)
	} else {
		c.idle = idle
	}
	return idle
}

// shutdownMargin is what sessions get beyond the grace of their processes to say how they ended.
const shutdownMargin = time.Second

func (c *connection) shutdown(ctx context.Context) {
	<-ctx.Done()
	select {
	case <-c.refuseSessions():
	case <-time.After(c.server.cfg.Limits.Grace + shutdownMargin):
	}
	c.conn.Close()
}

// keepalive finds out that a client has gone without a word, so that its commands do not run for ever.
func (c *connection) keepalive(ctx context.Context) {
	period := c.server.cfg.Limits.Keepalive
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		watchdog := time.AfterFunc(period, func() {
			c.log.Warn("client does not answer")
			c.conn.Close()
		})
		_, _, err := c.conn.SendRequest(sshwire.RequestKeepalive, true, nil)
		watchdog.Stop()
		if err != nil {
			return
		}
	}
}

// requestNoMoreSessions is sent by ssh once it has what it wants, so that a hijacked client cannot start more (OpenSSH PROTOCOL §2.2).
const requestNoMoreSessions = "no-more-sessions@openssh.com"

// serveRequests answers global requests one after the other, as the protocol wants.
func (c *connection) serveRequests(ctx context.Context, requests <-chan *ssh.Request) {
	for req := range requests {
		switch req.Type {
		case sshwire.RequestKeepalive:
			req.Reply(true, nil)
		case requestNoMoreSessions:
			c.mu.Lock()
			c.refusing = true
			c.mu.Unlock()
			req.Reply(true, nil)
		case sshwire.RequestTCPIPForward, sshwire.RequestCancelTCPIPForward, requestStreamlocalForward, requestCancelStreamlocalForward:
			ok, reply := c.changeForwards(ctx, req.Type, req.Payload)
			req.Reply(ok, reply)
		default:
			req.Reply(false, nil)
		}
	}
}
