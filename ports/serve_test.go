package ports

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
)

// serve runs a handler until the test ends, over connections in memory, so that it
// works in a bubble too, and returns a client of it.
func serve(t testing.TB, h http.Handler) *http.Client {
	t.Helper()
	return clientOf(t, listen(t, h).Dial)
}

// dial is serve for who speaks HTTP by hand.
func dial(t testing.TB, h http.Handler) net.Conn {
	t.Helper()
	conn, err := listen(t, h).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func listen(t testing.TB, h http.Handler) *memconn.Listener {
	t.Helper()
	ln := memconn.Listen()
	ctx, cancel := context.WithCancel(context.Background())
	srv := &http.Server{Handler: h, BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan struct{})
	// Ended and waited for by the cleanup.
	go func() {
		defer close(ended)
		_ = srv.Serve(ln) // http.ErrServerClosed
	}()
	t.Cleanup(func() {
		cancel()
		srv.Close()
		ln.Close()
		<-ended
	})
	return ln
}

func clientOf(t testing.TB, dial func(context.Context) (net.Conn, error)) *http.Client {
	t.Helper()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
