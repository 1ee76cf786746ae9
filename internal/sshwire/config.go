package sshwire

import (
	"bytes"
	"errors"
	"fmt"
	"net"

	"golang.org/x/crypto/ssh"
)

// ErrHostKey is the handshake's error when the server does not hold the pinned host key.
var ErrHostKey = errors.New("host key is not the pinned one")

// errUserKey is the server's reason for refusing a login; it goes to the server's log only.
var errUserKey = errors.New("user or key is not authorized")

// ciphers are the ciphers of both ends, best first. Only AES-GCM: it is several times faster than chacha20 where the
// processor has AES, OpenSSH clients prefer chacha20 wherever a server offers it, and none of them lacks AES-GCM.
func ciphers() []string {
	return []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM}
}

// keyExchanges are the key exchanges of both ends, best first.
func keyExchanges() []string {
	return []string{ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519, ssh.KeyExchangeECDHP256}
}

// macs are the message authentication codes of both ends. The protocol wants some to be named; AES-GCM uses none.
func macs() []string {
	return []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM}
}

// Config is the part that both ends share.
func Config() ssh.Config {
	return ssh.Config{Ciphers: ciphers(), KeyExchanges: keyExchanges(), MACs: macs()}
}

// ClientConfig returns the configuration of a client that logs in with signer and accepts only hostKey. With any other
// key of that kind the handshake's error matches ErrHostKey.
func ClientConfig(user string, signer ssh.Signer, hostKey ssh.PublicKey) *ssh.ClientConfig {
	pinned := ssh.FixedHostKey(hostKey)
	return &ssh.ClientConfig{
		Config: Config(),
		User:   user,
		Auth:   []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: func(hostname string, remote net.Addr, key ssh.PublicKey) error {
			if err := pinned(hostname, remote, key); err != nil {
				return fmt.Errorf("%w: %s instead of %s", ErrHostKey, ssh.FingerprintSHA256(key), ssh.FingerprintSHA256(hostKey))
			}
			return nil
		},
		HostKeyAlgorithms: hostKeyAlgorithms(hostKey.Type()),
	}
}

// hostKeyAlgorithms are the signature algorithms of a key type; only RSA's differ from its name (RFC 8332).
func hostKeyAlgorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

// ServerConfig returns the configuration of a server that proves itself with host and lets in user with any of the
// authorized keys. An empty user lets any user name in.
func ServerConfig(user string, host ssh.Signer, authorized []ssh.PublicKey) *ssh.ServerConfig {
	config := &ssh.ServerConfig{
		Config: Config(),
		PublicKeyCallback: func(conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if user != "" && conn.User() != user {
				return nil, errUserKey
			}
			for _, k := range authorized {
				if bytes.Equal(k.Marshal(), key.Marshal()) {
					return nil, nil
				}
			}
			return nil, errUserKey
		},
	}
	config.AddHostKey(host)
	return config
}
