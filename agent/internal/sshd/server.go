//go:build linux

package sshd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// Server is an SSH server. All methods may be called concurrently.
type Server struct {
	cfg   Config
	log   *slog.Logger
	ssh   *ssh.ServerConfig
	hosts hosts
	slots chan struct{} // one for each handshake under way

	mu       sync.Mutex // guards the counters
	open     int
	loggedIn int
	sessions int
	visitors map[uint16]int // open channels of direct-tcpip by port; none are 0
}

// New returns a server that does nothing before Serve.
func New(cfg Config) (*Server, error) {
	if cfg.HostKey == nil || cfg.User == "" || len(cfg.AuthorizedKeys) == 0 {
		return nil, errConfig
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Busy == nil {
		cfg.Busy = func() func() { return func() {} }
	}
	cfg.Limits = cfg.Limits.withDefaults()
	s := &Server{cfg: cfg, log: cfg.Log, slots: make(chan struct{}, cfg.Limits.Handshakes), visitors: map[uint16]int{}}
	s.hosts.changed = make(chan struct{})
	s.ssh = s.sshConfig()
	return s, nil
}

// Counts returns how many authenticated connections and how many sessions there are.
func (s *Server) Counts() (connections, sessions int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loggedIn, s.sessions
}

// Visitors returns how many connections go through the server to a port of that number, on whatever address.
func (s *Server) Visitors(port uint16) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visitors[port]
}

// visit counts a connection to a port, until the returned function is called.
func (s *Server) visit(port uint16) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visitors[port]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.visitors[port]--; s.visitors[port] == 0 {
			delete(s.visitors, port)
		}
	}
}

func (s *Server) count(counter *int, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*counter += by
}

// Serve accepts connections until ctx ends, and then closes ln, hangs up all sessions and returns nil once they have ended, which
// takes a little more than the grace at most. Any other error is the listener's.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before the wait: an error of the listener ends the connections too
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	for {
		if !s.acquire(ctx) {
			return nil
		}
		conn, err := ln.Accept()
		if err != nil {
			<-s.slots
			if ctx.Err() != nil {
				return nil
			}
			if !s.retry(ctx, err) {
				return fmt.Errorf("accept SSH connection: %w", err)
			}
			continue
		}
		if !s.admit(conn) {
			<-s.slots
			continue
		}
		// Ended by the client, by the handshake's deadline, or by ctx; waited for above.
		conns.Go(func() {
			defer s.count(&s.open, -1)
			s.serveConn(ctx, conn)
		})
	}
}

// acquire takes a handshake slot. While none is free, clients wait in the kernel's queue.
func (s *Server) acquire(ctx context.Context) bool {
	select {
	case s.slots <- struct{}{}:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (s *Server) admit(conn net.Conn) bool {
	s.mu.Lock()
	full := s.open >= s.cfg.Limits.Connections
	if !full {
		s.open++
	}
	s.mu.Unlock()
	if full {
		s.log.Warn("connection refused: too many", "remote", conn.RemoteAddr().String(), "limit", s.cfg.Limits.Connections)
		conn.Close()
	}
	return !full
}

// acceptPause is how long Serve waits before it accepts again when the process is out of file descriptors, say.
const acceptPause = 50 * time.Millisecond

// retry waits, and reports whether an error of Accept may pass.
func (s *Server) retry(ctx context.Context, err error) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	s.log.Warn("accept failed", "err", err)
	select {
	case <-time.After(acceptPause):
	case <-ctx.Done():
	}
	return true
}

// serveConn logs a client in and serves it. It gives the handshake's slot back.
func (s *Server) serveConn(ctx context.Context, raw net.Conn) {
	defer raw.Close()
	defer s.rescue("connection")
	transport := sshwire.Buffer(raw)
	conn, channels, requests, err := s.handshake(ctx, transport)
	if err != nil {
		s.log.Info("handshake failed", "remote", raw.RemoteAddr().String(), "err", err)
		return
	}
	c := newConnection(s, conn, transport)
	c.log.Info("client logged in", "client", clip(string(conn.ClientVersion())), "cipher", conn.(ssh.AlgorithmsConnMetadata).Algorithms().Read.Cipher)
	s.hosts.add(c)
	defer s.hosts.remove(c)
	s.count(&s.loggedIn, 1) // after it is known as a host: who counts it may want to open a channel to it
	defer s.count(&s.loggedIn, -1)
	c.serve(ctx, channels, requests)
}

func (s *Server) handshake(ctx context.Context, transport net.Conn) (ssh.Conn, <-chan ssh.NewChannel, <-chan *ssh.Request, error) {
	defer func() { <-s.slots }()
	// Close is what ends a handshake early; the connection's own end is serve's.
	defer context.AfterFunc(ctx, func() { transport.Close() })()
	transport.SetDeadline(time.Now().Add(s.cfg.Limits.Handshake))
	conn, channels, requests, err := ssh.NewServerConn(transport, s.ssh)
	if err != nil {
		return nil, nil, nil, err
	}
	transport.SetDeadline(time.Time{})
	return conn.Conn, channels, requests, nil
}

// rescue keeps a panic from ending more than what it happened in. It is to be deferred.
func (s *Server) rescue(where string) {
	if v := recover(); v != nil {
		s.log.Error("panic", "in", where, "value", v, "stack", string(debug.Stack()))
	}
}
