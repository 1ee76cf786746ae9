package session

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// keyPair is an Ed25519 key: private in OpenSSH's PEM form, public as an authorized_keys line without a newline.
type keyPair struct {
	Private string `json:"private"`
	Public  string `json:"public"`
}

// newKeyPair makes a fresh key. Each session has two of its own: the server's and the client's; neither is ever used for another.
func newKeyPair(comment string) (keyPair, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return keyPair{}, fmt.Errorf("generate key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		return keyPair{}, fmt.Errorf("encode private key: %w", err)
	}
	wire, err := ssh.NewPublicKey(public)
	if err != nil {
		return keyPair{}, fmt.Errorf("encode public key: %w", err)
	}
	line := ssh.MarshalAuthorizedKey(wire)
	return keyPair{Private: string(pem.EncodeToMemory(block)), Public: string(line[:len(line)-1])}, nil
}

func (k keyPair) signer() (ssh.Signer, error) {
	s, err := ssh.ParsePrivateKey([]byte(k.Private))
	if err != nil {
		return nil, fmt.Errorf("parse private key: %w", err)
	}
	return s, nil
}

func (k keyPair) publicKey() (ssh.PublicKey, error) {
	p, _, _, _, err := ssh.ParseAuthorizedKey([]byte(k.Public))
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	return p, nil
}
