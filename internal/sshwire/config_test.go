package sshwire_test

import (
	"errors"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/memconn"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

func TestHandshake(t *testing.T) {
	host, user, other := newSigner(t), newSigner(t), newSigner(t)
	tests := []struct {
		name    string
		client  func() *ssh.ClientConfig
		wantErr bool
		hostKey bool // the error is ErrHostKey
	}{
		{"both keys right", func() *ssh.ClientConfig { return sshwire.ClientConfig("dev", user, host.PublicKey()) }, false, false},
		{"wrong host key", func() *ssh.ClientConfig { return sshwire.ClientConfig("dev", user, other.PublicKey()) }, true, true},
		{"wrong user key", func() *ssh.ClientConfig { return sshwire.ClientConfig("dev", other, host.PublicKey()) }, true, false},
		{"wrong user", func() *ssh.ClientConfig { return sshwire.ClientConfig("root", user, host.PublicKey()) }, true, false},
		{"chacha20 only", func() *ssh.ClientConfig {
			c := sshwire.ClientConfig("dev", user, host.PublicKey())
			c.Ciphers = []string{ssh.CipherChaCha20Poly1305}
			return c
		}, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := memconn.Pair()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				defer b.Close()
				conn, chans, reqs, err := ssh.NewServerConn(b, sshwire.ServerConfig("dev", host, []ssh.PublicKey{user.PublicKey()}))
				if err != nil {
					return
				}
				go ssh.DiscardRequests(reqs)
				for range chans {
				}
				conn.Wait()
			}()
			conn, chans, reqs, err := ssh.NewClientConn(a, "agent", tt.client())
			if (err != nil) != tt.wantErr || errors.Is(err, sshwire.ErrHostKey) != tt.hostKey {
				t.Errorf("handshake: %v", err)
			}
			if err == nil {
				algorithms := conn.(ssh.AlgorithmsConnMetadata).Algorithms()
				if algorithms.Read.Cipher != ssh.CipherAES128GCM || algorithms.KeyExchange != ssh.KeyExchangeMLKEM768X25519 {
					t.Errorf("negotiated %+v", algorithms)
				}
				go ssh.DiscardRequests(reqs)
				conn.Close()
				for range chans {
				}
			}
			a.Close()
			<-ended
		})
	}
}

// FuzzUnmarshal proves that no payload of the container's making panics.
func FuzzUnmarshal(f *testing.F) {
	f.Add(ssh.Marshal(sshwire.DirectTCPIP{Host: "localhost", Port: 3000, OriginHost: "127.0.0.1", OriginPort: 1}))
	f.Add(ssh.Marshal(sshwire.PTY{Term: "xterm", Columns: 80, Rows: 24}))
	f.Add([]byte{0, 0, 0, 255, 1})
	f.Fuzz(func(t *testing.T, payload []byte) {
		sshwire.Unmarshal[sshwire.DirectTCPIP](payload)
		sshwire.Unmarshal[sshwire.PTY](payload)
		sshwire.Unmarshal[sshwire.ExitSignal](payload)
	})
}

func TestUnmarshal(t *testing.T) {
	want := sshwire.DirectTCPIP{Host: "::1", Port: 5173, OriginHost: "127.0.0.1", OriginPort: 40000}
	got, err := sshwire.Unmarshal[sshwire.DirectTCPIP](ssh.Marshal(want))
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := sshwire.Unmarshal[sshwire.DirectTCPIP]([]byte{0, 0, 0, 9, 'x'}); err == nil {
		t.Error("a truncated payload was accepted")
	}
}
