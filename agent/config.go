package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"golang.org/x/crypto/ssh"
)

// Limits of a configuration. The file is ours, so that a larger one is a mistake.
const (
	maxConfigBytes    = 1 << 20
	maxAuthorizedKeys = 64
	maxSocketPath     = 107 // sun_path of unix(7) less its terminating zero
)

// ErrConfig is wrapped by every error that says what is wrong with a [Config].
var ErrConfig = errors.New("bad agent configuration")

// Config is what the process inside is started with. Its JSON form is the file at [ConfigPath]; the host writes it when it
// creates the container, before the process starts.
type Config struct {
	// Session is the session's name, for logs and [Status].
	Session string `json:"session"`
	// User is the only user name that the SSH server accepts. Sessions run as the user of the process, whatever its name.
	User string `json:"user"`
	// HostKey is the server's private key: PEM, as ssh-keygen writes it, without a passphrase.
	HostKey string `json:"hostKey"`
	// AuthorizedKeys are the only public keys that may log in, one authorized_keys line each, without options.
	AuthorizedKeys []string `json:"authorizedKeys"`
	// Listen is the TCP address of the SSH server; empty means port [SSHPort] on all addresses of the container.
	Listen string `json:"listen,omitempty"`
	// Socket is the path of the HTTP API's unix socket; empty means [SocketPath].
	Socket string `json:"socket,omitempty"`
	// HostSocket is the path of the socket to the host's services; empty means host.sock beside Socket.
	HostSocket string `json:"hostSocket,omitempty"`
	// Gateway is the loopback address at which tools inside find the host's gateway to the models' servers; empty means [GatewayAddress].
	Gateway string `json:"gateway,omitempty"`
	// Workspace is where sessions start when it exists; else they start in the home directory.
	Workspace string `json:"workspace,omitempty"`
	// Env is added to the environment of every session, over the image's own.
	Env map[string]string `json:"env,omitempty"`
	// Unset names variables of the image and the container that nothing of ours gets.
	Unset []string `json:"unset,omitempty"`
}

// Load reads and checks the configuration in a file. Its errors name the file and wrap [ErrConfig] or the file system's error.
func Load(name string) (Config, error) {
	file, err := os.Open(name)
	if err != nil {
		return Config{}, fmt.Errorf("open agent configuration: %w", err)
	}
	defer file.Close()
	cfg, err := decodeConfig(file)
	if err != nil {
		return Config{}, fmt.Errorf("read %s: %w", name, err)
	}
	return cfg, nil
}

func decodeConfig(r io.Reader) (Config, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxConfigBytes+1))
	if err != nil {
		return Config{}, err
	}
	if len(data) > maxConfigBytes {
		return Config{}, fmt.Errorf("%w: more than %d bytes", ErrConfig, maxConfigBytes)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	// Both ends of the file are one version of one program: an unknown field is a mistake, not a newer format.
	dec.DisallowUnknownFields()
	var cfg Config
	if err := dec.Decode(&cfg); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return Config{}, fmt.Errorf("%w: text after the object", ErrConfig)
	}
	return cfg, cfg.Check()
}

// Encode returns the file that [Load] reads, or the error that Load would give.
func (c Config) Encode() ([]byte, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode agent configuration: %w", err)
	}
	return append(data, '\n'), nil
}

// Check reports the first thing that is wrong with the configuration, wrapped in [ErrConfig], without touching the system.
func (c Config) Check() error {
	if c.Session == "" {
		return fmt.Errorf("%w: session is empty", ErrConfig)
	}
	if c.User == "" {
		return fmt.Errorf("%w: user is empty", ErrConfig)
	}
	if _, err := c.hostKey(); err != nil {
		return fmt.Errorf("%w: hostKey: %w", ErrConfig, err)
	}
	if _, err := c.authorizedKeys(); err != nil {
		return fmt.Errorf("%w: authorizedKeys: %w", ErrConfig, err)
	}
	if c.Listen != "" {
		if err := checkAddress(c.Listen); err != nil {
			return fmt.Errorf("%w: listen: %w", ErrConfig, err)
		}
	}
	if c.Gateway != "" {
		if err := checkAddress(c.Gateway); err != nil {
			return fmt.Errorf("%w: gateway: %w", ErrConfig, err)
		}
	}
	for name, value := range map[string]string{"socket": c.Socket, "hostSocket": c.HostSocket, "workspace": c.Workspace} {
		if value != "" && !filepath.IsAbs(value) {
			return fmt.Errorf("%w: %s %q is not an absolute path", ErrConfig, name, value)
		}
	}
	if len(c.Socket) > maxSocketPath || len(c.HostSocket) > maxSocketPath {
		return fmt.Errorf("%w: a socket path may have %d bytes", ErrConfig, maxSocketPath)
	}
	return checkEnv(c.Env)
}

func (c Config) hostKey() (ssh.Signer, error) {
	return ssh.ParsePrivateKey([]byte(c.HostKey))
}

func (c Config) authorizedKeys() ([]ssh.PublicKey, error) {
	if len(c.AuthorizedKeys) == 0 {
		return nil, errors.New("none: nobody could log in")
	}
	if len(c.AuthorizedKeys) > maxAuthorizedKeys {
		return nil, fmt.Errorf("%d keys, the limit is %d", len(c.AuthorizedKeys), maxAuthorizedKeys)
	}
	keys := make([]ssh.PublicKey, len(c.AuthorizedKeys))
	for i, line := range c.AuthorizedKeys {
		key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
		switch {
		case err != nil:
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		case len(options) > 0:
			// Accepting a restriction without enforcing it would be worse than refusing it.
			return nil, fmt.Errorf("key %d: options are not supported", i+1)
		case len(bytes.TrimSpace(rest)) > 0:
			return nil, fmt.Errorf("key %d: more than one line", i+1)
		}
		keys[i] = key
	}
	return keys, nil
}

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = ":" + strconv.Itoa(SSHPort)
	}
	if c.Socket == "" {
		c.Socket = SocketPath
	}
	if c.HostSocket == "" {
		c.HostSocket = filepath.Join(filepath.Dir(c.Socket), filepath.Base(HostSocket))
	}
	if c.Gateway == "" {
		c.Gateway = GatewayAddress
	}
	return c
}

func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q: %w", port, err)
	}
	return nil
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func checkEnv(env map[string]string) error {
	for name, value := range env {
		if !envName.MatchString(name) {
			return fmt.Errorf("%w: env: %q is not a variable name", ErrConfig, name)
		}
		if bytes.IndexByte([]byte(value), 0) >= 0 {
			return fmt.Errorf("%w: env: the value of %s has a zero byte", ErrConfig, name)
		}
	}
	return nil
}
