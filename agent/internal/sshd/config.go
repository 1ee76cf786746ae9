//go:build linux

package sshd

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// Config says who may log in and what sessions get. HostKey, User and AuthorizedKeys are required.
type Config struct {
	HostKey        ssh.Signer
	User           string          // the only user name that is let in
	AuthorizedKeys []ssh.PublicKey // the only keys that are let in
	Workspace      string          // where sessions start if it is a directory
	BinDir         string          // appended to the PATH of sessions
	Env            map[string]string
	Busy           func() (done func()) // marks that a command is alive; nil means that nobody asks
	Limits         Limits
	Log            *slog.Logger // nil discards
}

// Limits bound what clients can use up. A zero field means its default.
type Limits struct {
	Connections int           // open at once, authenticated or not; 512
	Handshakes  int           // of them not yet authenticated; more wait in the kernel's queue; 64
	Sessions    int           // session channels of one connection; 256
	Channels    int           // channels of one connection, of all kinds; 16384
	Forwards    int           // listeners of one connection; 64
	Handshake   time.Duration // time to log in; 8 s
	AuthTries   int           // 6
	Grace       time.Duration // from a hangup to the kill; 3 s
	Linger      time.Duration // quiet time after which the output of a background process is left; 500 ms
	Keepalive   time.Duration // between questions whether a client is there, which has as long to answer; 30 s
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Connections, 512)
	setDefault(&l.Handshakes, 64)
	setDefault(&l.Sessions, 256)
	setDefault(&l.Channels, 16384)
	setDefault(&l.Forwards, 64)
	setDefault(&l.Handshake, 8*time.Second)
	setDefault(&l.AuthTries, 6)
	setDefault(&l.Grace, 3*time.Second)
	setDefault(&l.Linger, 500*time.Millisecond)
	setDefault(&l.Keepalive, 30*time.Second)
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

var errConfig = errors.New("the SSH server needs a host key, a user name and an authorized key")

// serverVersion is what clients see; it promises nothing about the build.
const serverVersion = "SSH-2.0-sketch-ide"

// sshConfig returns the handshake's configuration: public keys only, and each refusal logged with what was offered.
func (s *Server) sshConfig() *ssh.ServerConfig {
	config := sshwire.ServerConfig(s.cfg.User, s.cfg.HostKey, s.cfg.AuthorizedKeys)
	config.ServerVersion = serverVersion
	config.MaxAuthTries = s.cfg.Limits.AuthTries
	check := config.PublicKeyCallback
	config.PublicKeyCallback = func(conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		permissions, err := check(conn, key)
		if err != nil {
			err = fmt.Errorf("%w: %s %s", err, key.Type(), ssh.FingerprintSHA256(key))
		}
		return permissions, err
	}
	config.AuthLogCallback = func(conn ssh.ConnMetadata, method string, err error) {
		if err != nil && method != "none" { // with "none" a client only asks which methods there are
			s.log.Warn("login refused", "user", clip(conn.User()), "method", method, "remote", conn.RemoteAddr().String(), "err", err)
		}
	}
	return config
}

// clip bounds text of a client for the log.
func clip(text string) string {
	const limit = 64
	return text[:min(len(text), limit)]
}
