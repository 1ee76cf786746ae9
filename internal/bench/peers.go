//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// way is one way from the host to the servers inside.
type way struct {
	name        string
	stream, web string // where the two servers are on the host
	host        []int  // the processes on the host that carry the bytes
	container   string // where the servers are
}

// The ways, in the order of the tables.
const (
	wayDirect = iota // TCP to the container's address
	wayOurs
	waySSH   // OpenSSH's client with its defaults, OpenSSH's server inside
	wayGCM   // the same with the cipher of ours
	wayAgent // OpenSSH's client, our agent at its published port
	waySeed  // OpenSSH's client, the seed's server at its published port
)

// peers are all ways, set up and alive at once, so that their measurements can be shuffled.
type peers struct {
	stream, web int    // ports inside
	key         string // client key's file for the OpenSSH server inside
	known       string // known_hosts file with that server's key
	sshd        int    // that server's port
	config      string // ssh_config file of the session
	published   string // the agent's published port
	proxy       []int  // the processes that publish it
	seed        seed

	ways    []*way
	clients []*exec.Cmd
}

// open sets everything up on first use.
func (b *bench) openPeers(ctx context.Context) (*peers, error) {
	if b.peers != nil {
		return b.peers, nil
	}
	if _, err := b.program(ctx); err != nil {
		return nil, err
	}
	b.peers = &peers{}
	p := b.peers
	for _, set := range []func(context.Context) error{b.serveInside, b.startSSHD, b.findAgent, b.startSeed} {
		if err := set(ctx); err != nil {
			return nil, err
		}
	}
	at := func(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
	p.ways = []*way{
		{name: "direct TCP to the container", stream: at(b.address, p.stream), web: at(b.address, p.web)},
		{name: "sketch-ide", stream: at("127.0.0.1", p.stream), web: at("127.0.0.1", p.web), host: []int{b.editor.cmd.Process.Pid}},
	}
	return p, b.renewClients(ctx)
}

// renewClients gives each peer an OpenSSH client of its own that has carried nothing yet: what a connection has carried changes how the kernel
// acknowledges on it, and so how often `ssh -L` stops. Ours goes on with the connection that it has.
func (b *bench) renewClients(ctx context.Context) error {
	p := b.peers
	for _, c := range p.clients {
		hangUp(c)
	}
	p.ways, p.clients = p.ways[:waySSH], nil
	for kind := waySSH; kind <= waySeed; kind++ {
		w, cmd, err := b.forwardBySSH(ctx, kind)
		if err != nil {
			return err
		}
		p.ways, p.clients = append(p.ways, w), append(p.clients, cmd)
	}
	for _, w := range p.ways {
		w.container = cmp.Or(w.container, b.session.Container)
	}
	return nil
}

func (p *peers) close(ctx context.Context) error {
	for _, c := range p.clients {
		hangUp(c)
	}
	return p.seed.close(ctx)
}

// hangUp ends a forwarding ssh, which has no other way to end.
func hangUp(c *exec.Cmd) {
	_ = c.Process.Kill() // it may have ended
	_ = c.Wait()         // says that it was killed
}

// serveInside starts the two servers, and waits until they are forwarded.
func (b *bench) serveInside(ctx context.Context) error {
	for kind, port := range map[string]*int{"stream": &b.peers.stream, "web": &b.peers.web} {
		var err error
		if *port, err = freePort(); err != nil {
			return err
		}
		told := b.editor.awaitPort(*port)
		if _, err := b.insider.serve(kind, *port); err != nil {
			return err
		}
		if _, err := told(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startSSHDScript runs inside. The server runs as an ordinary user, because root in the session's container may not chroot; its port is none to be forwarded.
const startSSHDScript = `set -e
usermod -p '*' bench
cd /home/bench
echo '%[1]s' >authorized_keys
cat >sshd_config <<END
Port %[2]d
HostKey /home/bench/host_key
AuthorizedKeysFile /home/bench/authorized_keys
PidFile none
UsePAM no
StrictModes no
END
chown -R bench .
ssh-keygen -q -t ed25519 -N '' -f host_key >&2 && chown bench host_key
SKETCH_IGNORE_PORTS=1 setsid su bench -c 'ulimit -Sn $(ulimit -Hn); exec /usr/sbin/sshd -f /home/bench/sshd_config' >/dev/null 2>&1 </dev/null
cat host_key.pub
`

func (b *bench) startSSHD(ctx context.Context) error {
	p := b.peers
	p.key, p.known = filepath.Join(b.dir, "peer_key"), filepath.Join(b.dir, "peer_known_hosts")
	if out, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", p.key).CombinedOutput(); err != nil {
		return fmt.Errorf("ssh-keygen: %w: %s", err, out)
	}
	public, err := os.ReadFile(p.key + ".pub")
	if err != nil {
		return err
	}
	if p.sshd, err = freePort(); err != nil {
		return err
	}
	script := b.editor.command(ctx, "ssh", b.session.Name, "--", "sh")
	script.Stdin, script.Stderr = strings.NewReader(fmt.Sprintf(startSSHDScript, strings.TrimSpace(string(public)), p.sshd)), os.Stderr
	hostKey, err := script.Output()
	if err != nil {
		return fmt.Errorf("start sshd inside: %w", err)
	}
	line := fmt.Sprintf("[%s]:%d %s", b.address, p.sshd, hostKey)
	return errors.Join(os.WriteFile(p.known, []byte(line), 0o600), await(ctx, net.JoinHostPort(b.address, strconv.Itoa(p.sshd))))
}

// findAgent finds the session's published port and what OpenSSH needs to enter.
func (b *bench) findAgent(ctx context.Context) error {
	p := b.peers
	var err error
	if p.published, err = docker(ctx, "inspect", "-f", `{{(index (index .NetworkSettings.Ports "22022/tcp") 0).HostPort}}`, b.session.Container); err != nil {
		return err
	}
	out, err := b.editor.command(ctx, "ssh", "--json", b.session.Name).Output()
	if err != nil {
		return err
	}
	var files struct {
		Config string `json:"config"`
	}
	if err := json.Unmarshal(out, &files); err != nil {
		return err
	}
	p.config = files.Config
	p.proxy, err = publishers(ctx, p.published)
	return err
}

// forwardBySSH spawns an `ssh -L` for both servers and waits until it accepts.
func (b *bench) forwardBySSH(ctx context.Context, kind int) (*way, *exec.Cmd, error) {
	p := b.peers
	w := &way{}
	args := []string{"-N", "-T", "-o", "ExitOnForwardFailure=yes", "-o", "BatchMode=yes"}
	stream, web := p.stream, p.web
	if kind == waySeed {
		stream, web = p.seed.stream, p.seed.web
	}
	for inside, at := range map[int]*string{stream: &w.stream, web: &w.web} {
		port, err := freePort()
		if err != nil {
			return nil, nil, err
		}
		*at = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		args = append(args, "-L", fmt.Sprintf("%s:127.0.0.1:%d", *at, inside))
	}
	switch kind {
	case wayAgent:
		w.name, w.host = "ssh -L to our agent, published port", p.proxy
		args = append(args, "-F", p.config, "-o", "ProxyCommand=none", "-o", "HostName=127.0.0.1", "-p", p.published, b.session.Name)
	case waySeed:
		w.name, w.host, w.container = "ssh -L to gliderlabs/ssh, published port: the seed's way", p.seed.proxy, p.seed.container
		args = append(args, "-F", "none", "-i", p.key, "-o", "UserKnownHostsFile="+p.seed.known, "-p", p.seed.published, "root@127.0.0.1")
	case wayGCM:
		w.name = "ssh -L to sshd, -c aes128-gcm@openssh.com"
		args = append(args, "-c", "aes128-gcm@openssh.com")
		args = append(args, p.sshdArgs(b.address)...)
	default:
		w.name = "ssh -L to sshd, defaults"
		args = append(args, p.sshdArgs(b.address)...)
	}
	cmd := exec.CommandContext(ctx, "ssh", args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	w.host = append(w.host, cmd.Process.Pid)
	for _, address := range []string{w.stream, w.web} {
		if err := await(ctx, address); err != nil {
			hangUp(cmd)
			return nil, nil, err
		}
	}
	return w, cmd, nil
}

// sshdArgs lead ssh to OpenSSH's server inside.
func (p *peers) sshdArgs(address string) []string {
	return []string{"-F", "none", "-i", p.key, "-o", "UserKnownHostsFile=" + p.known, "-p", strconv.Itoa(p.sshd), "bench@" + address}
}

// await waits until something accepts at address.
func await(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("nothing accepts at %s: %w", address, err)
		}
		pause(ctx, 500*time.Microsecond)
	}
}
