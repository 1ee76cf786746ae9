//go:build linux

package agent_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// patience bounds every wait of the tests; none of them should need it.
const patience = time.Minute

const user = "dev"

// world is an agent that runs in this process, and a configuration with which OpenSSH reaches it as "box".
type world struct {
	t         *testing.T
	dir       string // short, for the sockets' sake
	workspace string
	config    agent.Config
	sshConfig string
	address   string
	hostKey   ssh.PublicKey
	signer    ssh.Signer
	client    *agent.Client
	log       *logBuffer
	stop      func() // ends the agent and waits
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := prepare(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- agent.Run(ctx, w.config, slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	}()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("agent ended with %v", err)
		}
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
	t.Cleanup(w.stop)
	w.connectConfig()
	return w
}

// prepare makes keys, folders and a configuration, and starts nothing.
func prepare(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "ag")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{t: t, dir: dir, workspace: filepath.Join(dir, "ws"), log: &logBuffer{}}
	if err := os.Mkdir(w.workspace, 0o755); err != nil {
		t.Fatal(err)
	}
	hostPEM, hostKey := newKey(t)
	clientPEM, clientKey := newKey(t)
	w.write("id", clientPEM)
	w.hostKey, w.signer = hostKey.PublicKey(), clientKey
	w.config = agent.Config{
		Session: "sketch-brave-otter", User: user, HostKey: hostPEM,
		AuthorizedKeys: []string{string(ssh.MarshalAuthorizedKey(clientKey.PublicKey()))},
		Listen:         "127.0.0.1:0",
		Gateway:        "127.0.0.1:0",
		Socket:         filepath.Join(dir, "agent.sock"),
		Workspace:      w.workspace,
		Env:            map[string]string{"FROM_CONFIG": "yes"},
	}
	w.client = agent.NewClient(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, w.config.Socket)
	})
	t.Cleanup(w.client.Close)
	return w
}

// connectConfig waits for the agent and writes the client's configuration.
func (w *world) connectConfig() {
	w.t.Helper()
	w.eventually("the agent answers", func() bool {
		status, err := w.client.Status(w.t.Context())
		w.address = status.SSH.Listen
		return err == nil
	})
	host, port, err := net.SplitHostPort(w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	known := w.write("known_hosts", fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(w.hostKey)))
	w.sshConfig = w.write("ssh_config", fmt.Sprintf(`Host box
  HostName %s
  Port %s
  User %s
  IdentityFile %s
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile %s
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
  LogLevel ERROR
  ExitOnForwardFailure yes
`, host, port, user, filepath.Join(w.dir, "id"), known))
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, content string) string {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return w.path(name)
}

// eventually waits for a condition.
func (w *world) eventually(what string, condition func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain: %s\n%s", what, w.log)
		}
		<-ticker.C
	}
}

// tool returns one of OpenSSH's programs with the world's configuration.
func (w *world) tool(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.t.Context(), name, append([]string{"-F", w.sshConfig}, args...)...)
	cmd.Dir = w.dir
	return cmd
}

type result struct {
	stdout, stderr string
	status         int
	elapsed        time.Duration
}

// ssh runs ssh with arguments, and input if it is not empty.
func (w *world) ssh(input string, args ...string) result {
	w.t.Helper()
	return w.finish(w.tool("ssh", args...), input)
}

func (w *world) finish(cmd *exec.Cmd, input string) result {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		w.t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), time.Since(start)}
}

// dial logs in as the host does, with package ssh. The client that it returns refuses channels until somebody asks for them.
func (w *world) dial() *ssh.Client {
	w.t.Helper()
	client := ssh.NewClient(w.login())
	w.t.Cleanup(func() { client.Close(); client.Wait() })
	return client
}

// login is dial for whoever answers what the agent asks of the connection, from its first moment on.
func (w *world) login() (ssh.Conn, <-chan ssh.NewChannel, <-chan *ssh.Request) {
	w.t.Helper()
	raw, err := net.Dial("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	conn, channels, requests, err := ssh.NewClientConn(sshwire.Buffer(raw), w.address, sshwire.ClientConfig(user, w.signer, w.hostKey))
	if err != nil {
		w.t.Fatal(err)
	}
	return conn, channels, requests
}

func newKey(t *testing.T) (string, ssh.Signer) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), signer
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) contains(text string) bool { return strings.Contains(b.String(), text) }

func (w *world) read(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

// me is who the sessions run as.
func me(t *testing.T) string {
	t.Helper()
	current, err := osuser.Current()
	if err != nil {
		t.Fatal(err)
	}
	return current.Username
}

func copyAndClose(dst io.WriteCloser, src io.Reader) {
	io.Copy(dst, src)
	dst.Close()
}
