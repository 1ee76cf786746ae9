//go:build linux

package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// seedArg makes this program what Sketch had inside its containers: a gliderlabs/ssh server as that sets it up by default, beside
// the two servers that are measured.
const seedArg = "seed"

// seedPort is the SSH server's, inside.
const seedPort = 2222

// serveSeed lets in whoever has the key, prints the ports of the stream and web servers and the host key, and serves until it is killed.
func serveSeed(authorized string) error {
	key, _, _, _, err := gossh.ParseAuthorizedKey([]byte(authorized))
	if err != nil {
		return err
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	host, err := gossh.NewSignerFromKey(private)
	if err != nil {
		return err
	}
	stream, web := portOrError(listenStreams("0")), portOrError(serveWeb("0.0.0.0 0"))
	server := &ssh.Server{
		Addr:                        fmt.Sprintf(":%d", seedPort),
		Handler:                     func(s ssh.Session) { <-s.Context().Done() },
		PublicKeyHandler:            func(_ ssh.Context, k ssh.PublicKey) bool { return ssh.KeysEqual(k, key) },
		LocalPortForwardingCallback: func(ssh.Context, string, uint32) bool { return true },
		ChannelHandlers:             map[string]ssh.ChannelHandler{"direct-tcpip": ssh.DirectTCPIPHandler, "session": ssh.DefaultSessionHandler},
	}
	server.AddHostKey(host)
	fmt.Println(stream, web, strings.TrimSpace(string(gossh.MarshalAuthorizedKey(host.PublicKey()))))
	return server.ListenAndServe()
}

// seed is the seed's container: the image of the session, the server of its time, its port published by the engine.
type seed struct {
	container   string
	published   string // the port on the host
	stream, web int    // ports inside
	known       string // known_hosts file
	proxy       []int  // the processes that publish the port
}

// startSeed runs the seed's container and waits until its server accepts.
func (b *bench) startSeed(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	public, err := os.ReadFile(b.peers.key + ".pub")
	if err != nil {
		return err
	}
	s := &b.peers.seed
	if s.container, err = docker(ctx, "run", "-d", "--rm", "--init", "-v", program+":/bench:ro", "-p", fmt.Sprintf("127.0.0.1::%d", seedPort),
		b.image, "/bench", seedArg, strings.TrimSpace(string(public))); err != nil {
		return err
	}
	where, err := docker(ctx, "port", s.container, strconv.Itoa(seedPort))
	if err != nil {
		return err
	}
	if _, s.published, err = net.SplitHostPort(where); err != nil {
		return err
	}
	if err := await(ctx, where); err != nil {
		return err
	}
	line, err := docker(ctx, "logs", s.container)
	if err != nil {
		return err
	}
	var kind, key string
	if _, err := fmt.Sscan(line, &s.stream, &s.web, &kind, &key); err != nil {
		return fmt.Errorf("the seed's server says %q: %w", line, err)
	}
	s.known = filepath.Join(b.dir, "seed_known_hosts")
	if err := os.WriteFile(s.known, fmt.Appendf(nil, "[127.0.0.1]:%s %s %s\n", s.published, kind, key), 0o600); err != nil {
		return err
	}
	s.proxy, err = publishers(ctx, s.published)
	return err
}

// publishers are the processes that publish a port of the host.
func publishers(ctx context.Context, port string) ([]int, error) {
	table, err := exec.CommandContext(ctx, "ps", "-eo", "pid,args").Output()
	return pidsIn(string(table), "docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port "+port+" "), err
}

func (s *seed) close(ctx context.Context) error {
	if s.container == "" {
		return nil
	}
	_, err := docker(ctx, "rm", "-f", s.container)
	return err
}
