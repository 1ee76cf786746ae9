package tunnel_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// newTCPAgent is an SSH server on loopback TCP whose direct-tcpip channels dial for real, as the agent does.
func newTCPAgent(t testing.TB) tunnel.ConnConfig {
	t.Helper()
	host, user := newSigner(t), newSigner(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	serve := func(raw net.Conn) {
		defer raw.Close()
		conn := sshwire.Buffer(raw)
		server, chans, reqs, err := ssh.NewServerConn(conn, sshwire.ServerConfig("", host, []ssh.PublicKey{user.PublicKey()}))
		if err != nil {
			return
		}
		wg.Go(func() { ssh.DiscardRequests(reqs) })
		for nc := range chans {
			wg.Go(func() {
				open, err := sshwire.Unmarshal[sshwire.DirectTCPIP](nc.ExtraData())
				if err != nil {
					nc.Reject(ssh.ConnectionFailed, err.Error())
					return
				}
				target, err := net.Dial("tcp", net.JoinHostPort(open.Host, strconv.Itoa(int(open.Port))))
				if err != nil {
					nc.Reject(ssh.ConnectionFailed, err.Error())
					return
				}
				ch, reqs, err := nc.Accept()
				if err != nil {
					target.Close()
					return
				}
				sshwire.Relay(sshwire.NewStream(ch, reqs, conn), target.(*net.TCPConn))
			})
		}
		server.Wait()
	}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	dial := func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
	return tunnel.ConnConfig{Dial: dial, User: "dev", Signer: user, HostKey: host.PublicKey()}
}

// startManager runs a Conn and a Manager on it until the test ends. Publications arrive on the channel.
func startManager(t testing.TB, conn tunnel.ConnConfig) (*tunnel.Manager, <-chan []tunnel.Forward) {
	t.Helper()
	published := make(chan []tunnel.Forward, 1000)
	c := tunnel.NewConn(conn)
	m := tunnel.NewManager(tunnel.ManagerConfig{Dial: c.DialContext, Changed: func(f []tunnel.Forward) { published <- f }})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { m.Run(ctx) })
	wg.Go(func() { c.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return m, published
}

// observe tells the Manager that one port is open and returns its forward.
func observe(t testing.TB, m *tunnel.Manager, published <-chan []tunnel.Forward, l net.Listener) tunnel.Forward {
	t.Helper()
	a := l.Addr().(*net.TCPAddr).AddrPort()
	m.Observe(ports.Snapshot{Ports: []ports.Port{{Number: a.Port(), Addresses: []netip.Addr{a.Addr().Unmap()}}}})
	select {
	case f := <-published:
		return f[0]
	case <-time.After(time.Minute):
		t.Fatal("nothing was published")
		panic("unreachable")
	}
}

func dialHost(t testing.TB, host string, port uint16) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(int(port))), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return c.(*net.TCPConn)
}

// TestLoopback goes all the way over real sockets. Container and host are one machine here, so that the host's number is
// always taken by the container's server itself, and the forward has to move.
func TestLoopback(t *testing.T) {
	t.Parallel()
	server := echoServer(t, "tcp", "127.0.0.1:0")
	m, published := startManager(t, newTCPAgent(t))
	f := observe(t, m, published, server)
	if f.Status != tunnel.Forwarded || f.HostPort == f.Port || f.HostPort == 0 || f.Reason != strconv.Itoa(int(f.Port))+" is in use" {
		t.Fatalf("forward %+v", f)
	}
	// Announced means usable: no retries here.
	for _, host := range []string{"127.0.0.1", "::1"} {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { roundTrip(t, dialHost(t, host, f.HostPort), 200_000) })
		}
		wg.Wait()
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range interfaces {
		ip := a.(*net.IPNet).IP
		if ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			continue
		}
		if c, err := net.DialTimeout("tcp", net.JoinHostPort(ip.String(), strconv.Itoa(int(f.HostPort))), time.Second); err == nil {
			c.Close()
			t.Errorf("the forward answers on %s", ip)
		}
	}
}

func TestLoopbackResets(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m, published := startManager(t, newTCPAgent(t))
	f := observe(t, m, published, l)

	// connect returns both ends of a connection that is up on the whole way.
	connect := func(host string) (client, target *net.TCPConn) {
		client = dialHost(t, host, f.HostPort)
		client.Write([]byte("x"))
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return client, conn.(*net.TCPConn)
	}
	client, target := connect("127.0.0.1")
	target.SetLinger(0)
	target.Close()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after the target's reset the client read %v", err)
	}
	client, target = connect("::1")
	client.SetLinger(0)
	client.Close()
	if _, err := target.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after the client's reset the target read %v", err)
	}

	l.Close()
	client = dialHost(t, "127.0.0.1", f.HostPort)
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a refusal inside read %v", err)
	}
}

// TestLoopbackBesideAWildcard has somebody who listens on all addresses of the host, beside which some kernels would let
// loopback be bound.
func TestLoopbackBesideAWildcard(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "tcp4"} {
		l, err := net.Listen(network, ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		m, published := startManager(t, newTCPAgent(t))
		if f := observe(t, m, published, l); f.Status != tunnel.Forwarded || f.HostPort == f.Port {
			t.Errorf("%s: forward %+v", network, f)
		}
	}
}

// BenchmarkForward moves bytes through a forward over loopback: Manager, Conn, agent, target.
func BenchmarkForward(b *testing.B) {
	for _, direction := range []string{"up", "down"} {
		b.Run(direction, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			m, published := startManager(b, newTCPAgent(b))
			f := observe(b, m, published, l)
			var from net.Conn = dialHost(b, "127.0.0.1", f.HostPort)
			to, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			defer to.Close()
			if direction == "down" {
				from, to = to, from
			}
			const chunk = 256 << 10
			b.SetBytes(chunk)
			done := make(chan struct{})
			go func() {
				defer close(done)
				io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{to}, make([]byte, chunk))
			}()
			payload := make([]byte, chunk)
			for b.Loop() {
				from.Write(payload)
			}
			from.(*net.TCPConn).CloseWrite()
			<-done
		})
	}
}

// BenchmarkConnect is a new connection through a forward until its first byte is back.
func BenchmarkConnect(b *testing.B) {
	server := echoServer(b, "tcp", "127.0.0.1:0")
	m, published := startManager(b, newTCPAgent(b))
	f := observe(b, m, published, server)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(f.HostPort)))
	for b.Loop() {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		c.Write([]byte("x"))
		c.(*net.TCPConn).CloseWrite()
		if _, err := io.ReadAll(c); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
