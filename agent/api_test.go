//go:build linux

package agent_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/internal/fakellm"
	"github.com/sketch-ide/sketch-ide/ports"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dial()
	w.eventually("the connection is counted", func() bool {
		status, err := w.client.Status(t.Context())
		return err == nil && status.SSH.Connections == 1
	})
	status, err := w.client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status.Session != w.config.Session || status.Workspace != w.workspace || status.Version == "" || status.PID != os.Getpid() ||
		status.Uptime <= 0 || time.Since(status.Started) > time.Hour {
		t.Errorf("%+v", status)
	}
	info, err := os.Stat(w.config.Socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %v, %v", info.Mode(), err)
	}
}

func TestAPIOnlyReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{http.MethodPost, "/status", http.StatusMethodNotAllowed},
		{http.MethodPost, "/port-events", http.StatusMethodNotAllowed},
		{http.MethodDelete, "/ports", http.StatusMethodNotAllowed},
		{http.MethodGet, "/", http.StatusNotFound},
		{http.MethodGet, "/ports", http.StatusOK},
	} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, agent.BaseURL+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := w.client.HTTP().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != test.want {
			t.Errorf("%s %s: %d, want %d", test.method, test.path, res.StatusCode, test.want)
		}
	}
}

// The way of a port: a server starts in a session, and the host hears of it over the SSH connection.
func TestPortsAreFollowedOverSSH(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.dial()
	client := agent.NewClient(func(_ context.Context, network, address string) (net.Conn, error) {
		if network != "unix" || address != agent.SocketPath {
			return nil, fmt.Errorf("dialled %s %s", network, address)
		}
		return conn.Dial(network, w.config.Socket)
	})
	defer client.Close()

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := w.tool("ssh", "box", listenEnv+"=1 "+self)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatal("the server did not start")
	}
	port := strings.TrimSpace(lines.Text())

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	opened, closed := false, false
	err = ports.Follow(ctx, ports.FollowConfig{Client: client.HTTP(), BaseURL: client.BaseURL()}, func(update ports.Update) {
		open := false
		for _, p := range update.Snapshot.Ports {
			open = open || fmt.Sprint(p.Number) == port
			if slices.Contains(p.Addresses, netip.MustParseAddr("127.0.0.11")) {
				t.Errorf("the engine's name server counts as a port: %+v", p)
			}
		}
		if open && !opened {
			opened = true
			stdin.Close() // ends the server
		}
		if opened && !open {
			closed = true
			cancel()
		}
	})
	if !opened || !closed || !errors.Is(err, context.Canceled) {
		t.Errorf("opened %v, closed %v, %v", opened, closed, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ssh: %v", err)
	}
}

// While a command of somebody or of the agent is alive, ports are looked for often: whoever runs commands has to say so.
func TestCommandsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alive := func(want int) {
		t.Helper()
		w.eventually(fmt.Sprintf("%d commands are alive", want), func() bool {
			status, err := w.client.Status(t.Context())
			return err == nil && status.Commands == want
		})
	}
	alive(0)
	cmd := w.tool("ssh", "box", "cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	alive(1)
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("ssh: %v", err)
	}
	alive(0)

	gate := filepath.Join(w.workspace, "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	scenario, err := fakellm.Parse([]byte(`{"steps":[{"reply":[{"tool":"bash","input":{"command":"cat gate"}}]},{"reply":[{"text":"Done."}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	w.host(fakellm.New("m", scenario))
	talk := w.client.Conversation()
	if err := talk.Configure(t.Context(), conversation.Settings{Models: []conversation.Model{{Name: "mine", Provider: "anthropic", Model: "m"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := talk.Prompt(t.Context(), conversation.Prompt{Text: "wait"}); err != nil {
		t.Fatal(err)
	}
	alive(1)
	if err := os.WriteFile(gate, nil, 0o600); err != nil { // ends the command
		t.Fatal(err)
	}
	w.until("the turn's end", func(p conversation.Page) bool { return p.Status.Outcome != "" })
	alive(0)
}
