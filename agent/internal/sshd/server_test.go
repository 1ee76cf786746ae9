//go:build linux

package sshd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

const patience = time.Minute

// rig is a server on a listener in memory.
type rig struct {
	t      *testing.T
	server *Server
	ln     *memconn.Listener
	signer ssh.Signer
	log    *syncBuffer
}

func newRig(t *testing.T, limits Limits, busy func() func()) *rig {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, ln: memconn.Listen(), signer: signer, log: &syncBuffer{}}
	r.server, err = New(Config{
		HostKey: signer, User: "dev", AuthorizedKeys: []ssh.PublicKey{signer.PublicKey()}, Busy: busy, Limits: limits,
		Log: slog.New(slog.NewTextHandler(r.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.server.Serve(ctx, r.ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve ended with %v", err)
		}
	})
	return r
}

// raw connects without logging in.
func (r *rig) raw() net.Conn {
	r.t.Helper()
	conn, err := r.ln.Dial(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	r.t.Cleanup(func() { conn.Close() })
	return conn
}

// login logs in, or says why not.
func (r *rig) login() (*ssh.Client, error) {
	conn, channels, requests, err := ssh.NewClientConn(r.raw(), "", sshwire.ClientConfig("dev", r.signer, r.signer.PublicKey()))
	if err != nil {
		return nil, err
	}
	client := ssh.NewClient(conn, channels, requests)
	r.t.Cleanup(func() { client.Close(); client.Wait() })
	return client, nil
}

func (r *rig) mustLogin() *ssh.Client {
	r.t.Helper()
	client, err := r.login()
	if err != nil {
		r.t.Fatal(err)
	}
	return client
}

func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for ticker := time.NewTicker(2 * time.Millisecond); !condition(); <-ticker.C {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited in vain: %s\n%s", what, r.log)
		}
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, Limits{Connections: 1}, nil)
	first := r.mustLogin()
	if _, err := r.login(); err == nil {
		t.Error("a second connection was let in")
	}
	first.Close()
	r.eventually("there is room again", func() bool { _, err := r.login(); return err == nil })
}

func TestSilentClientsDoNotKeepOthersOut(t *testing.T) { synctest.Test(t, testSilentClients) }

func testSilentClients(t *testing.T) {
	r := newRig(t, Limits{Handshakes: 1, Handshake: 50 * time.Millisecond}, nil)
	silent := r.raw()
	r.eventually("the silent client's time is over, and another is let in", func() bool { _, err := r.login(); return err == nil })
	if _, err := io.Copy(io.Discard, silent); err != nil {
		t.Errorf("the silent client's connection ended with %v", err)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, Limits{Sessions: 2}, nil)
	client := r.mustLogin()
	var last *ssh.Session
	for range 2 {
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		last = session
	}
	var refused *ssh.OpenChannelError
	if _, err := client.NewSession(); !errors.As(err, &refused) || refused.Reason != ssh.ResourceShortage {
		t.Errorf("a third session gives %v", err)
	}
	last.Close()
	r.eventually("there is room again", func() bool { _, err := client.NewSession(); return err == nil })
}

func TestNoMoreSessions(t *testing.T) {
	t.Parallel()
	r := newRig(t, Limits{}, nil)
	client := r.mustLogin()
	if _, _, err := client.SendRequest(requestNoMoreSessions, true, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.NewSession(); err == nil {
		t.Error("a session was started")
	}
}

func TestKeepalive(t *testing.T) { synctest.Test(t, testKeepalive) }

func testKeepalive(t *testing.T) {
	r := newRig(t, Limits{Keepalive: 20 * time.Millisecond}, nil)
	client := r.mustLogin()
	if ok, _, err := client.SendRequest(sshwire.RequestKeepalive, true, nil); !ok || err != nil {
		t.Errorf("the server answers %v, %v", ok, err)
	}
	// This one never reads its requests, hence never answers.
	conn, _, _, err := ssh.NewClientConn(r.raw(), "", sshwire.ClientConfig("dev", r.signer, r.signer.PublicKey()))
	if err != nil {
		t.Fatal(err)
	}
	conn.Wait()
	if ok, _, err := client.SendRequest(sshwire.RequestKeepalive, true, nil); !ok || err != nil {
		t.Errorf("the client that answers was closed: %v, %v", ok, err)
	}
}

func TestPanicEndsOneConnectionOnly(t *testing.T) {
	t.Parallel()
	var once sync.Once
	r := newRig(t, Limits{}, func() func() {
		once.Do(func() { panic("as if by a mistake") })
		return func() {}
	})
	other, victim := r.mustLogin(), r.mustLogin()
	session, err := victim.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Run("true"); err == nil {
		t.Error("the session went on")
	}
	victim.Wait()
	if session, err = other.NewSession(); err != nil {
		t.Fatal(err)
	}
	if err := session.Run("true"); err != nil {
		t.Errorf("another connection suffers: %v", err)
	}
	if !strings.Contains(r.log.String(), "as if by a mistake") {
		t.Error("the panic is not logged")
	}
}

func TestBusyWhileACommandRuns(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	busy := 0
	add := func(n int) { mu.Lock(); busy += n; mu.Unlock() }
	count := func() int { mu.Lock(); defer mu.Unlock(); return busy }
	r := newRig(t, Limits{}, func() func() { add(1); return func() { add(-1) } })
	session, err := r.mustLogin().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("cat"); err != nil {
		t.Fatal(err)
	}
	r.eventually("busy", func() bool { return count() == 1 })
	stdin.Close()
	if err := session.Wait(); err != nil {
		t.Error(err)
	}
	r.eventually("not busy", func() bool { return count() == 0 })
}

func TestOpenHost(t *testing.T) {
	t.Parallel()
	r := newRig(t, Limits{}, nil)
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := r.server.OpenHost(short, sshwire.ChannelGit, nil); !errors.Is(err, ErrNoHost) {
		t.Errorf("without a client: %v", err)
	}
	serve := func(answer func(ssh.NewChannel)) {
		client := r.mustLogin()
		channels := client.HandleChannelOpen(sshwire.ChannelGit)
		go func() {
			for channel := range channels {
				answer(channel)
			}
		}()
	}
	greet := func(text string) func(ssh.NewChannel) {
		return func(open ssh.NewChannel) {
			channel, requests, err := open.Accept()
			if err != nil {
				return
			}
			go ssh.DiscardRequests(requests)
			io.WriteString(channel, text+" "+string(open.ExtraData()))
			channel.Close()
		}
	}
	serve(greet("old"))
	serve(greet("new"))
	r.mustLogin() // the newest, which knows no such channel
	r.eventually("all are known", func() bool { n, _ := r.server.Counts(); return n == 3 })
	stream, err := r.server.OpenHost(t.Context(), sshwire.ChannelGit, []byte("version=2"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(stream); string(got) != "new version=2" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	stream.Close()

	serve(func(open ssh.NewChannel) { open.Reject(ssh.ConnectionFailed, "the repository is gone") })
	r.eventually("all are known", func() bool { n, _ := r.server.Counts(); return n == 4 })
	if _, err := r.server.OpenHost(t.Context(), sshwire.ChannelGit, nil); err == nil || !strings.Contains(err.Error(), "the repository is gone") {
		t.Errorf("a host that cannot serve: %v", err)
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
