package tunnel_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
	"github.com/sketch-ide/sketch-ide/tunnel"
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

// agent is the container's end of a Conn, in memory: an SSH server whose direct-tcpip and direct-streamlocal channels
// echo.
type agent struct {
	t          testing.TB
	host, user ssh.Signer

	mu       sync.Mutex
	dial     func(ctx context.Context) (net.Conn, error) // replaces the way to the server
	conns    []*memconn.Conn                             // our ends of the transports
	servers  []*ssh.ServerConn
	channels func(ssh.NewChannel) bool // true: taken care of
	dials    int
	live     int // transports that are being served
	wg       sync.WaitGroup
}

func newAgent(t testing.TB) *agent {
	return &agent{t: t, host: newSigner(t), user: newSigner(t)}
}

// Dial is the Conn's way to the agent.
func (a *agent) Dial(ctx context.Context) (net.Conn, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dials++
	if a.dial != nil {
		dial := a.dial
		a.mu.Unlock()
		defer a.mu.Lock()
		return dial(ctx)
	}
	client, server := memconn.Pair()
	a.conns = append(a.conns, server)
	a.wg.Go(func() { a.serve(server) })
	return client, nil
}

func (a *agent) serve(conn net.Conn) {
	defer conn.Close()
	a.set(func(a *agent) { a.live++ })
	defer a.set(func(a *agent) { a.live-- })
	buffered := sshwire.Buffer(conn)
	server, chans, reqs, err := ssh.NewServerConn(buffered, sshwire.ServerConfig("dev", a.host, []ssh.PublicKey{a.user.PublicKey()}))
	if err != nil {
		return
	}
	a.mu.Lock()
	a.servers = append(a.servers, server)
	a.mu.Unlock()
	a.wg.Go(func() { ssh.DiscardRequests(reqs) })
	for nc := range chans {
		a.mu.Lock()
		channels := a.channels
		a.mu.Unlock()
		if channels != nil && channels(nc) {
			continue
		}
		if open, err := sshwire.Unmarshal[sshwire.DirectTCPIP](nc.ExtraData()); err == nil && open.Port == 1 {
			nc.Reject(ssh.ConnectionFailed, "refused")
			continue
		}
		ch, reqs, err := nc.Accept()
		if err != nil {
			continue
		}
		a.wg.Go(func() {
			s := sshwire.NewStream(ch, reqs, buffered)
			io.Copy(s, s)
			s.CloseWrite()
			s.Close()
		})
	}
	server.Wait()
}

// set changes the agent's behaviour.
func (a *agent) set(f func(*agent)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(a)
}

// connected is how many connections there are.
func (a *agent) connected() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.live
}

// conn is the last transport.
func (a *agent) conn() *memconn.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.conns[len(a.conns)-1]
}

// config is that of a Conn to the agent.
func (a *agent) config() tunnel.ConnConfig {
	return tunnel.ConnConfig{Dial: a.Dial, User: "dev", Signer: a.user, HostKey: a.host.PublicKey()}
}

// start runs a Conn until the test ends, and records its states.
func (a *agent) start(cfg tunnel.ConnConfig) (*tunnel.Conn, *states) {
	a.t.Helper()
	s := &states{}
	cfg.Changed = s.add
	c := tunnel.NewConn(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.Run(ctx)
	}()
	a.t.Cleanup(func() {
		cancel()
		<-ended
		a.set(func(a *agent) {
			for _, c := range a.conns {
				c.Close()
			}
		})
		a.wg.Wait()
	})
	return c, s
}

// states records transitions.
type states struct {
	mu  sync.Mutex
	all []tunnel.State
}

func (s *states) add(st tunnel.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, st)
}

// last is the last transition.
func (s *states) last() tunnel.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[len(s.all)-1]
}

// phases are the phases in order without repetition; "reconnecting 3" has its attempt.
func (s *states) phases(attempts bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, st := range s.all {
		p := st.Phase.String()
		if attempts && st.Attempt > 0 {
			p += " " + strconv.Itoa(st.Attempt)
		}
		if len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	return out
}

// patient is a configuration that leaves it to others to find fault with the peer.
func (a *agent) patient() tunnel.ConnConfig {
	cfg := a.config()
	cfg.KeepaliveInterval, cfg.KeepaliveTimeout = time.Hour, time.Hour
	return cfg
}

// long is more of a bubble's time than anything here may take. What would hang for ever keeps the bubble's clock running, and the test too.
const long = time.Minute

// visit opens a connection to a port, which echoes.
func visit(t *testing.T, c *tunnel.Conn) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	conn, err := c.DialContext(ctx, "tcp", "127.0.0.1:3000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// answers reports whether a byte comes back.
func answers(t *testing.T, conn net.Conn) bool {
	t.Helper()
	echoed := make(chan error, 1)
	go func() { // ends with the connection
		_, err := conn.Write([]byte("x"))
		if err == nil {
			_, err = io.ReadFull(conn, make([]byte, 1))
		}
		echoed <- err
	}()
	select {
	case err := <-echoed:
		return err == nil
	case <-time.After(long):
		return false
	}
}

// ending is how reading from a connection ends.
func ending(t *testing.T, conn net.Conn) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { // ends with the connection
		_, err := conn.Read(make([]byte, 1))
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-time.After(long):
		return errors.New("nothing for a long time")
	}
}

func expectReset(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := ending(t, conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %v, want a reset", err)
	}
}
