package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a connection that the container opened.
const (
	headerTimeout = 30 * time.Second
	idleTimeout   = 30 * time.Second // a host serves few channels at once
	bodyTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	writeTimeout  = 2 * time.Minute // of one piece of an answer, which the container takes or does not
	drainTimeout  = 10 * time.Second
)

// Serve answers the HTTP/1.1 requests on rw until its end, or that of ctx, and closes it.
func (a *Account) Serve(ctx context.Context, rw io.ReadWriteCloser) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// net/http needs deadlines, to look for the client's end while it answers; a pipe has them.
	here, there := net.Pipe()
	var copies sync.WaitGroup
	// Both end when either side does: rw is closed by the container, by the end of ctx, or, for one that takes nothing, a while after the server closed
	// the pipe.
	copies.Go(func() {
		_, _ = io.Copy(there, rw) // the end is told by closing
		there.Close()
	})
	copies.Go(func() {
		_, _ = io.Copy(rw, there) // as above
		rw.Close()
		there.Close()
	})
	stop := context.AfterFunc(ctx, func() {
		here.Close()
		rw.Close()
	})
	defer stop()
	a.serveHTTP(ctx, here)
	drain := time.AfterFunc(drainTimeout, func() { rw.Close() })
	defer drain.Stop()
	copies.Wait()
}

func (a *Account) serveHTTP(ctx context.Context, conn net.Conn) {
	l := &onceListener{conns: make(chan net.Conn, 1), ended: make(chan struct{})}
	l.conns <- conn
	server := &http.Server{
		Handler:           a,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				l.end()
			}
		},
		ErrorLog: slog.NewLogLogger(a.gateway.cfg.Log.Handler(), slog.LevelDebug), // the container decides how often
	}
	if err := server.Serve(l); !errors.Is(err, net.ErrClosed) {
		a.gateway.cfg.Log.Debug("serve gateway", "err", err)
	}
	conn.Close()
}

// onceListener accepts one connection, and then waits for its end.
type onceListener struct {
	conns chan net.Conn
	ended chan struct{}
	once  sync.Once
}

func (l *onceListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

func (l *onceListener) end() { l.once.Do(func() { close(l.ended) }) }

func (l *onceListener) Close() error {
	l.end()
	return nil
}

func (l *onceListener) Addr() net.Addr { return &net.UnixAddr{Name: "llm", Net: "unix"} }
