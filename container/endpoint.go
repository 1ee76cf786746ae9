package container

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/go-connections/tlsconfig"
)

// endpoint is an address at which an engine may answer.
type endpoint struct {
	host    string // unix:///path, tcp://host:port or ssh://host
	origin  string
	network string
	address string
	tls     *tls.Config // nil = plain
	ssh     *sshTarget  // nil = network and address are dialled
}

func (ep endpoint) unix() bool { return ep.network == "unix" }

// endpoints are the places to look at. Somebody's explicit choice is the only one: an engine that was not asked for
// must not be used because the one that was asked for is down.
func endpoints(opts Options) ([]endpoint, error) {
	if opts.Host != "" {
		origin := opts.Origin
		if origin == "" {
			origin = "the configured engine address"
		}
		config, err := tlsForHost(opts.Host, opts.Getenv)
		if err != nil {
			return nil, err
		}
		return one(newEndpoint(opts.Host, origin, config))
	}
	if host := opts.Getenv("DOCKER_HOST"); host != "" {
		config, err := tlsFromEnv(opts.Getenv)
		if err != nil {
			return nil, err
		}
		return one(newEndpoint(host, "DOCKER_HOST", config))
	}
	dir := dockerConfigDir(opts.Getenv)
	if name, origin := currentContext(dir, opts.Getenv); name != "" {
		return one(contextEndpoint(dir, name, origin))
	}
	return wellKnown(opts.Getenv)
}

func one(ep endpoint, err error) ([]endpoint, error) {
	if err != nil {
		return nil, err
	}
	return []endpoint{ep}, nil
}

// wellKnown are the sockets of engines as they are installed: Docker, rootless Docker, Docker Desktop, Colima, OrbStack.
func wellKnown(getenv func(string) string) ([]endpoint, error) {
	paths := []string{"/var/run/docker.sock"}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		paths = append(paths, filepath.Join(dir, "docker.sock"))
	}
	if home := homeDir(getenv); home != "" {
		for _, p := range []string{".docker/run/docker.sock", ".colima/default/docker.sock", ".orbstack/run/docker.sock"} {
			paths = append(paths, filepath.Join(home, p))
		}
	}
	list := make([]endpoint, len(paths))
	for i, p := range paths {
		list[i] = endpoint{host: "unix://" + p, origin: "well-known socket", network: "unix", address: p}
	}
	return list, nil
}

// newEndpoint reads an engine address as the docker command knows them.
func newEndpoint(host, origin string, config *tls.Config) (endpoint, error) {
	scheme, rest, _ := strings.Cut(host, "://")
	switch {
	case scheme == "unix" && rest != "":
		return endpoint{host: host, origin: origin, network: "unix", address: rest}, nil
	case scheme == "tcp" && rest != "":
		return tcpEndpoint(host, origin, config)
	case scheme == "ssh":
		target, err := parseSSHTarget(host)
		if err != nil {
			return endpoint{}, fmt.Errorf("%s names the engine %q: %w: %w: use ssh://user@host", origin, printable(host), ErrHostUnsupported, err)
		}
		return endpoint{host: host, origin: origin, network: "ssh", ssh: &target}, nil
	}
	return endpoint{}, fmt.Errorf("%s names the engine %q: %w: use unix:///path, tcp://host:port or ssh://host", origin, host, ErrHostUnsupported)
}

func tcpEndpoint(host, origin string, config *tls.Config) (endpoint, error) {
	u, err := url.Parse(host)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return endpoint{}, fmt.Errorf("%s names the engine %q: %w: use tcp://host:port", origin, host, ErrHostUnsupported)
	}
	port := u.Port()
	if port == "" {
		port = map[bool]string{false: "2375", true: "2376"}[config != nil]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	if config != nil {
		config = config.Clone()
		if config.ServerName == "" {
			config.ServerName = u.Hostname()
		}
	}
	return endpoint{host: "tcp://" + address, origin: origin, network: "tcp", address: address, tls: config}, nil
}

// tlsForHost is what a tcp:// address alone does not tell: the environment's certificates, as the docker command has it,
// else those of the context whose engine has the address.
func tlsForHost(host string, getenv func(string) string) (*tls.Config, error) {
	if !strings.HasPrefix(host, "tcp://") {
		return nil, nil
	}
	if config, err := tlsFromEnv(getenv); config != nil || err != nil {
		return config, err
	}
	dir := dockerConfigDir(getenv)
	for _, name := range contextNames(dir)[1:] {
		if ep, err := contextEndpoint(dir, name, "its address"); err == nil && ep.host == host {
			return ep.tls, nil
		}
	}
	return nil, nil
}

// tlsFromEnv follows the docker command: DOCKER_TLS_VERIFY asks for verified TLS, a DOCKER_CERT_PATH alone for TLS.
func tlsFromEnv(getenv func(string) string) (*tls.Config, error) {
	dir, verify := getenv("DOCKER_CERT_PATH"), getenv("DOCKER_TLS_VERIFY") != ""
	if dir == "" && !verify {
		return nil, nil
	}
	if dir == "" {
		dir = dockerConfigDir(getenv)
	}
	config, err := tlsFromDir(dir, !verify)
	if err != nil {
		return nil, fmt.Errorf("read certificates of DOCKER_CERT_PATH: %w", err)
	}
	return config, nil
}

// tlsFromDir reads those of ca.pem, cert.pem and key.pem that are there.
func tlsFromDir(dir string, insecure bool) (*tls.Config, error) {
	file := func(name string) string {
		p := filepath.Join(dir, name)
		if _, err := os.Stat(p); err != nil {
			return ""
		}
		return p
	}
	return tlsconfig.Client(tlsconfig.Options{
		CAFile: file("ca.pem"), CertFile: file("cert.pem"), KeyFile: file("key.pem"),
		InsecureSkipVerify: insecure,
		ExclusiveRootPools: true,
	})
}

// connHook is the key of a func(net.Conn) in a context: it is told the connection that the engine's client dials
// under that context. The client's hijacking ignores the context once it has dialled.
type connHook struct{}

func (ep endpoint) dialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := ep.dial(ctx)
	if err != nil {
		return nil, err
	}
	if hook, ok := ctx.Value(connHook{}).(func(net.Conn)); ok {
		hook(conn)
	}
	return conn, nil
}

func (ep endpoint) dial(ctx context.Context) (net.Conn, error) {
	if ep.ssh != nil {
		return ep.ssh.dial(ctx)
	}
	var d net.Dialer
	if ep.tls == nil {
		return d.DialContext(ctx, ep.network, ep.address)
	}
	return (&tls.Dialer{NetDialer: &d, Config: ep.tls}).DialContext(ctx, ep.network, ep.address)
}

func homeDir(getenv func(string) string) string {
	if home := getenv("HOME"); home != "" {
		return home
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return home
}
