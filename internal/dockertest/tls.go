//go:build linux

package dockertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// certificates is a folder as DOCKER_CERT_PATH names it (ca.pem, cert.pem, key.pem), with the server's own beside.
type certificates struct{ dir string }

func (c certificates) file(name string) string { return filepath.Join(c.dir, name) }

// makeCertificates makes an authority, and by it a server's and a client's certificate.
func makeCertificates(t testing.TB) certificates {
	t.Helper()
	c := certificates{t.TempDir()}
	now := time.Now()
	base := x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), BasicConstraintsValid: true}
	ca := base
	ca.SerialNumber, ca.Subject, ca.IsCA, ca.KeyUsage = big.NewInt(1), pkix.Name{CommonName: "test authority"}, true, x509.KeyUsageCertSign
	caKey := c.key(t, "")
	c.certificate(t, "ca.pem", &ca, &ca, caKey, caKey)
	server := base
	server.SerialNumber, server.Subject, server.IPAddresses = big.NewInt(2), pkix.Name{CommonName: "engine"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	c.certificate(t, "server.pem", &server, &ca, c.key(t, "server-key.pem"), caKey)
	client := base
	client.SerialNumber, client.Subject = big.NewInt(3), pkix.Name{CommonName: "client"}
	client.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	c.certificate(t, "cert.pem", &client, &ca, c.key(t, "key.pem"), caKey)
	return c
}

// key makes a key, in a file if it has a name.
func (c certificates) key(t testing.TB, name string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if name == "" {
		return key
	}
	data, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, name, "PRIVATE KEY", data)
	return key
}

func (c certificates) certificate(t testing.TB, name string, cert, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) {
	t.Helper()
	data, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, name, "CERTIFICATE", data)
}

func (c certificates) write(t testing.TB, name, kind string, data []byte) {
	t.Helper()
	if err := os.WriteFile(c.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TLS returns a tcp:// address of the engine on this machine's loopback interface, and the folder of the client's certificates. A relay leads into the
// engine's network namespace.
func (e *Engine) TLS() (host, certs string) {
	e.t.Helper()
	ln, err := new(net.ListenConfig).Listen(e.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		e.t.Fatal(err)
	}
	r := relay{engine: e, open: map[net.Conn]bool{}}
	r.group.Go(func() { r.accept(ln) }) // ends with the listener, below
	e.t.Cleanup(func() {
		ln.Close()
		r.closeAll()
		r.group.Wait()
	})
	return "tcp://" + ln.Addr().String(), e.certs.dir
}

// relay passes connections on to the engine.
type relay struct {
	engine *Engine
	group  sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	open   map[net.Conn]bool
	closed bool
}

func (r *relay) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		r.group.Go(func() { r.serve(conn) }) // ends with both connections, which closeAll closes
	}
}

func (r *relay) serve(conn net.Conn) {
	defer conn.Close()
	inside, err := r.engine.dialInside()
	if err != nil || !r.keep(conn, inside) {
		return
	}
	defer inside.Close()
	var both sync.WaitGroup
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // either end may go away at any time
		_ = to.(*net.TCPConn).CloseWrite()
	}
	both.Go(func() { pass(inside, conn) })
	both.Go(func() { pass(conn, inside) })
	both.Wait()
}

func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.open[c] = true
		if r.closed {
			c.Close()
		}
	}
	return !r.closed
}

func (r *relay) closeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for c := range r.open {
		c.Close()
	}
}

// dialInside connects to the engine's port in its network namespace.
func (e *Engine) dialInside() (net.Conn, error) {
	ns, err := openNetwork(e.pid.Load())
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	return (&Machine{e.t, ns}).Dial("127.0.0.1:" + tlsPort)
}
