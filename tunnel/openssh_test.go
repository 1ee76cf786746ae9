package tunnel_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

// sshd is OpenSSH's server, one process per connection, over socket pairs.
type sshd struct {
	t    *testing.T
	args []string
	cfg  tunnel.ConnConfig

	mu   sync.Mutex
	last *exec.Cmd
	wg   sync.WaitGroup
}

func newSSHD(t *testing.T) *sshd {
	t.Helper()
	if os.Getuid() == 0 {
		// Its privilege separation directory, which the service's start script makes otherwise.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	hostKey, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	signer := newSigner(t)
	dir := t.TempDir()
	hostFile, authorized := filepath.Join(dir, "host"), filepath.Join(dir, "authorized")
	for name, data := range map[string][]byte{hostFile: pem.EncodeToMemory(block), authorized: ssh.MarshalAuthorizedKey(signer.PublicKey())} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &sshd{t: t, args: []string{
		"-i", "-e", "-f", "/dev/null", "-h", hostFile, "-o", "AuthorizedKeysFile=" + authorized,
		"-o", "StrictModes=no", "-o", "UsePAM=no", "-o", "PidFile=none", "-o", "LogLevel=ERROR",
	}}
	s.cfg = tunnel.ConnConfig{Dial: s.dial, User: me.Username, Signer: signer, HostKey: hostKey}
	return s
}

// dial starts a server. It is found where distributions put it, which is not in every user's PATH.
func (s *sshd) dial(context.Context) (net.Conn, error) {
	path, err := exec.LookPath("/usr/sbin/sshd")
	if err != nil {
		s.t.Error("these tests need OpenSSH's server:", err)
		return nil, err
	}
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	syscall.CloseOnExec(fds[0])
	defer ours.Close()
	defer theirs.Close()
	cmd := exec.Command(path, s.args...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, &stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.last = cmd
	s.mu.Unlock()
	s.wg.Go(func() {
		cmd.Wait()
		if stderr.Len() > 0 {
			s.t.Logf("sshd: %s", stderr.Bytes())
		}
	})
	return net.FileConn(ours)
}

// start runs a Conn to the server until the test ends.
func (s *sshd) start() *tunnel.Conn {
	c := tunnel.NewConn(s.cfg)
	ctx, cancel := context.WithCancel(context.Background())
	s.wg.Go(func() { c.Run(ctx) })
	s.t.Cleanup(func() {
		cancel()
		s.wg.Wait()
	})
	return c
}

// echoServer accepts until the test ends. It answers what it got after the client's half-close, and then closes.
func echoServer(t testing.TB, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				all, _ := io.ReadAll(c)
				c.Write(all)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l
}

// roundTrip sends, half-closes and reads the answer.
func roundTrip(t testing.TB, conn net.Conn, size int) {
	t.Helper()
	want := bytes.Repeat([]byte("sketch-ide"), size/10)
	go func() {
		conn.Write(want)
		conn.(interface{ CloseWrite() error }).CloseWrite()
	}()
	if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, len(want))
	}
}

func TestOpenSSHServer(t *testing.T) {
	t.Parallel()
	s := newSSHD(t)
	phases := make(chan tunnel.Phase, 100)
	s.cfg.Changed = func(st tunnel.State) { phases <- st.Phase }
	c := s.start()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	tcp := echoServer(t, "tcp", "127.0.0.1:0")
	unix := echoServer(t, "unix", filepath.Join(t.TempDir(), "s"))
	for _, a := range []net.Addr{tcp.Addr(), unix.Addr()} {
		conn, err := c.DialContext(ctx, a.Network(), a.String())
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, conn, 3_000_000)
		conn.Close()
	}
	if _, err := c.DialContext(ctx, "tcp", "127.0.0.1:1"); !errors.Is(err, tunnel.ErrRefused) {
		t.Errorf("dial of a closed port: %v", err)
	}

	var out, errs strings.Builder
	err := c.Exec(ctx, "cat; echo problem >&2; exit 3", strings.NewReader("inside"), &out, &errs)
	if exit, ok := errors.AsType[*tunnel.ExitError](err); out.String() != "inside" || errs.String() != "problem\n" || !ok || exit.Status != 3 || exit.Signal != "" {
		t.Errorf("exec: %q, %q, %v", &out, &errs, err)
	}
	err = c.Exec(ctx, "kill -TERM $$", nil, nil, nil)
	if exit, ok := errors.AsType[*tunnel.ExitError](err); !ok || exit.Status != 143 || exit.Signal != "TERM" {
		t.Errorf("exec of a command that is killed: %v", err)
	}

	// The server dies, and another one takes its place.
	s.mu.Lock()
	s.last.Process.Kill()
	s.mu.Unlock()
	for phase := tunnel.Connected; phase != tunnel.Reconnecting; {
		select {
		case phase = <-phases:
		case <-ctx.Done():
			t.Fatal("the death of the server went unnoticed")
		}
	}
	conn, err := c.DialContext(ctx, "tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn, 10)
	conn.Close()
}

func TestOpenSSHServerWithAnotherKey(t *testing.T) {
	t.Parallel()
	s := newSSHD(t)
	s.cfg.HostKey = newSigner(t).PublicKey()
	c := s.start()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := c.DialContext(ctx, "tcp", "127.0.0.1:1"); !errors.Is(err, tunnel.ErrHostKey) {
		t.Errorf("dial: %v", err)
	}
}
