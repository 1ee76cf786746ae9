package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// redialRefused is how long a connection that was refused by a port which is open waits for the news that it is not, before it tries
// again: a server that restarts refuses before its end has been noticed.
const redialRefused = 100 * time.Millisecond

// binding is the host's side of a forward: the listeners of one number and the connections that came through them. It
// belongs to the owner; its goroutines know only the gate.
type binding struct {
	cfg       ManagerConfig
	ctx       context.Context
	hostPort  uint16
	reason    string // why hostPort is not the port
	listeners []net.Listener
	gate      *gate
	conns     atomic.Int64
}

// serve starts a binding with listeners that accept already.
func (r *reconciler) serve(listeners []net.Listener, hostPort uint16, reason string) *binding {
	b := &binding{cfg: r.cfg, ctx: r.ctx, hostPort: hostPort, reason: reason, listeners: listeners, gate: newGate()}
	for _, l := range listeners {
		// Ends when the listener is closed, by close; the reconciler's close waits.
		r.wg.Go(func() { b.accept(l, r.wg.Go) })
	}
	return b
}

// suits reports whether the binding is what w wants, apart from the gate.
func (b *binding) suits(w *want) bool {
	switch {
	case w.hostPort != 0:
		return b.hostPort == w.hostPort
	case w.decision.RequireLocalPort:
		return b.hostPort == w.port
	}
	return true
}

// close closes the listeners and resets the connections that wait. Those that are established end by themselves.
func (b *binding) close() {
	for _, l := range b.listeners {
		l.Close()
	}
	b.gate.set(gateState{mode: gateShut})
}

// accept handles each connection in a goroutine of its own, until the listener is closed.
func (b *binding) accept(l net.Listener, start func(func())) {
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			// Out of file descriptors, most likely; waiting is what helps.
			b.cfg.Log.Warn("accept connection", "port", b.hostPort, "err", err)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-b.ctx.Done():
			}
			continue
		}
		if b.conns.Add(1) > int64(b.cfg.MaxConns) {
			b.conns.Add(-1)
			sshwire.Abort(conn)
			continue
		}
		// Ends when both ends of the connection have, or when ctx ends; the reconciler's close waits.
		start(func() {
			defer b.conns.Add(-1)
			b.handle(conn)
		})
	}
}

// handle connects one connection to the container and relays until both ends have ended.
func (b *binding) handle(conn net.Conn) {
	local, ok := conn.(sshwire.HalfCloser)
	if !ok {
		conn.Close()
		return
	}
	remote, err := b.connect()
	if err != nil {
		b.cfg.Log.Debug("connect to port", "host port", b.hostPort, "err", err)
		sshwire.Abort(local)
		return
	}
	// Both at once, since one may wait for its peer.
	stopLocal := context.AfterFunc(b.ctx, func() { sshwire.Abort(local) })
	stopRemote := context.AfterFunc(b.ctx, func() { sshwire.Abort(remote) })
	defer stopLocal()
	defer stopRemote()
	sshwire.Relay(local, remote)
}

// connect dials the container as soon as the gate lets it, within HoldLimit. A port that is open as far as is known, and
// refuses, gets Linger to change one or the other, and as much again after each change: a server may restart several
// times in a row, and the news of it be slow.
func (b *binding) connect() (sshwire.HalfCloser, error) {
	ctx, cancel := context.WithTimeout(b.ctx, b.cfg.HoldLimit)
	defer cancel()
	var since time.Time // of the first refusal after the last news
	for {
		state, changed, err := b.gate.pass(ctx)
		if err != nil {
			return nil, err
		}
		conn, err := b.dial(ctx, state.routes)
		if err == nil || !refused(err) || !state.listening {
			return conn, err
		}
		if since.IsZero() {
			since = time.Now()
		}
		if time.Since(since) >= b.cfg.Linger {
			return nil, err
		}
		wait, cancel := context.WithTimeout(ctx, redialRefused)
		if b.gate.hold(wait, changed) == nil {
			since = time.Time{}
		}
		cancel()
	}
}

// dial tries the routes in turn, and returns the first error when none answers.
func (b *binding) dial(ctx context.Context, routes []string) (sshwire.HalfCloser, error) {
	var first error
	for _, address := range routes {
		conn, err := b.cfg.Dial(ctx, "tcp", address)
		if err == nil {
			if h, ok := conn.(sshwire.HalfCloser); ok {
				return h, nil
			}
			conn.Close()
			err = fmt.Errorf("dial %s: %T cannot be half-closed", address, conn)
		}
		if first == nil {
			first = err
		}
		if !refused(err) {
			break
		}
	}
	return nil, first
}

func refused(err error) bool {
	return errors.Is(err, ErrRefused) || errors.Is(err, syscall.ECONNREFUSED)
}
