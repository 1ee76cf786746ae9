package sshwire_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// wire is a client and a server of ours with one connection between them.
type wire struct {
	client     ssh.Conn
	clientConn net.Conn
	opened     chan *sshwire.Stream // what the client opened, on the server's side
}

// newWire makes the connection over two ends of a byte transport. The transport is closed when the test ends.
func newWire(t testing.TB, a, b net.Conn) *wire {
	t.Helper()
	host, user := newSigner(t), newSigner(t)
	w := &wire{clientConn: a, opened: make(chan *sshwire.Stream, 64)}
	ended := make(chan struct{})
	// Ends with the transport, and is waited for in the cleanup.
	go func() {
		defer close(ended)
		_, chans, reqs, err := ssh.NewServerConn(b, sshwire.ServerConfig("dev", host, []ssh.PublicKey{user.PublicKey()}))
		if err != nil {
			t.Error("server:", err)
			return
		}
		go ssh.DiscardRequests(reqs)
		for nc := range chans {
			ch, reqs, err := nc.Accept()
			if err != nil {
				return
			}
			w.opened <- sshwire.NewStream(ch, reqs, b)
		}
	}()
	client, chans, reqs, err := ssh.NewClientConn(a, "agent", sshwire.ClientConfig("dev", user, host.PublicKey()))
	if err != nil {
		t.Fatal("client:", err)
	}
	w.client = client
	go ssh.DiscardRequests(reqs)
	go func() {
		for nc := range chans {
			nc.Reject(ssh.Prohibited, "")
		}
	}()
	t.Cleanup(func() {
		a.Close()
		b.Close()
		client.Wait()
		<-ended
	})
	return w
}

// open opens a channel and returns both of its ends.
func (w *wire) open(t testing.TB) (client, server *sshwire.Stream) {
	t.Helper()
	ch, reqs, err := w.client.OpenChannel("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	return sshwire.NewStream(ch, reqs, w.clientConn), <-w.opened
}

// tcpPair returns the two ends of a TCP connection over loopback.
func tcpPair(t testing.TB) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// BenchmarkThroughput moves bytes application → relay → SSH → relay → target over loopback TCP, all in one process, up
// and down, with our transport and relays and with x/crypto/ssh and io.Copy as they come.
func BenchmarkThroughput(b *testing.B) {
	bare := func(c net.Conn) net.Conn { return c }
	for _, bb := range []struct {
		name  string
		wrap  func(net.Conn) net.Conn
		relay func(a, z sshwire.HalfCloser)
	}{
		{"tuned", sshwire.Buffer, func(a, z sshwire.HalfCloser) { sshwire.Relay(a, z) }},
		{"plain", bare, plainRelay},
	} {
		for _, direction := range []string{"up", "down"} {
			for _, streams := range []int{1, 4} {
				b.Run(fmt.Sprintf("%s/%s/streams=%d", bb.name, direction, streams), func(b *testing.B) {
					ca, cb := tcpPair(b)
					w := newWire(b, bb.wrap(ca), bb.wrap(cb))
					var from []net.Conn
					var ended sync.WaitGroup
					for range streams {
						client, server := w.open(b)
						app, near := tcpPair(b)
						far, target := tcpPair(b)
						ended.Go(func() { bb.relay(near, client) })
						ended.Go(func() { bb.relay(server, far) })
						source, sink := app, target
						if direction == "down" {
							source, sink = sink, source
						}
						sink.CloseWrite()
						ended.Go(func() {
							io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{sink}, make([]byte, 256<<10))
						})
						from = append(from, source)
					}
					payload := make([]byte, 256<<10)
					b.SetBytes(int64(len(payload) * streams))
					for b.Loop() {
						for _, c := range from {
							c.Write(payload)
						}
					}
					for _, c := range from {
						c.(*net.TCPConn).CloseWrite()
					}
					ended.Wait()
				})
			}
		}
	}
}

// plainRelay is what one writes first.
func plainRelay(a, z sshwire.HalfCloser) {
	var wg sync.WaitGroup
	wg.Go(func() {
		io.Copy(z, struct{ io.Reader }{a})
		z.CloseWrite()
	})
	io.Copy(a, struct{ io.Reader }{z})
	a.CloseWrite()
	wg.Wait()
	a.Close()
	z.Close()
}
