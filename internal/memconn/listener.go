package memconn

import (
	"context"
	"net"
	"sync"
)

// Listener is a net.Listener whose connections are made by its Dial.
type Listener struct {
	conns chan *Conn
	done  chan struct{}
	once  sync.Once
}

// Listen returns a listener with no backlog: Dial waits for Accept.
func Listen() *Listener {
	return &Listener{conns: make(chan *Conn), done: make(chan struct{})}
}

// Dial connects to the listener.
func (l *Listener) Dial(ctx context.Context) (net.Conn, error) {
	a, b := Pair()
	select {
	case l.conns <- b:
		return a, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }
