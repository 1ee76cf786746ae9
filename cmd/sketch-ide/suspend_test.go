package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/jsonrpc/transcript"
)

// suspended is an editor's backend that can be stopped and continued, with a session that has a web server.
type suspended struct {
	*editorProcess
	session jsonrpc.Session
	port    jsonrpc.Port
	states  []jsonrpc.SessionState // told since the start
	toasts  []string
}

// patience bounds what is waited for; internal/bench measures how long it takes.
const patience = time.Minute

func startSuspended(t *testing.T) *suspended {
	t.Helper()
	state, repo := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "app")
	mustRun(t, "git", "init", "-q", repo)
	mustRun(t, "git", "-C", repo, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "first")
	t.Cleanup(func() { // after the end of the backend
		if out, err := command(t, "--state-dir", state, "prune", "--all", "--keep-images").CombinedOutput(); err != nil {
			t.Errorf("prune: %v\n%s", err, out)
		}
	})
	s := &suspended{editorProcess: startEditor(t, "--state-dir", state)}
	t.Cleanup(func() { s.signal(syscall.SIGCONT) })
	s.call(1, "initialize", map[string]any{
		"rootUri": "file://" + repo, "capabilities": map[string]any{"experimental": map[string]any{"sketch": map[string]any{"version": jsonrpc.ProtocolVersion}}},
		"initializationOptions": map[string]any{"baseImage": testBase(), "notifications": "message"},
	})
	if err := s.Send(transcript.Frame(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(s.call(2, "workspace/executeCommand", map[string]any{"command": "sketch.start"}), &s.session); err != nil {
		t.Fatal(err)
	}
	s.serve()
	s.await("forward", func(f notified) bool { return f.find(s, jsonrpc.PortForwarded) })
	s.await("toast", func(notified) bool { return len(s.toasts) > 0 })
	return s
}

func mustRun(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

const insidePort = 8080

// serve starts the server, which ends with the container.
func (s *suspended) serve() {
	s.t.Helper()
	script := fmt.Sprintf(`from http.server import *
class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
ThreadingHTTPServer(("127.0.0.1", %d), H).serve_forever()`, insidePort)
	mustRun(s.t, "docker", "exec", "-d", s.session.Container, "python3", "-c", script)
}

func (s *suspended) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Errorf("%v: %v", sig, err)
	}
}

// notified is a message of the backend's own accord.
type notified struct {
	Method string
	Params json.RawMessage
}

// find tells whether the message has the server's port in that status, and notes it.
func (n notified) find(s *suspended, status jsonrpc.PortStatus) bool {
	var list jsonrpc.PortsNotification
	if n.Method != "$/sketch/ports" || json.Unmarshal(n.Params, &list) != nil {
		return false
	}
	for _, p := range list.Ports {
		if p.Number == insidePort && p.Status == status {
			s.port = p
			return true
		}
	}
	return false
}

// await reads messages until one satisfies ok, and notes states and toasts on the way.
func (s *suspended) await(what string, ok func(notified) bool) {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case frame, open := <-s.frames:
			var n notified
			if !open || json.Unmarshal(frame, &n) != nil {
				s.t.Fatalf("%s: the backend ended, or said %q", what, frame)
			}
			s.note(n)
			if ok(n) {
				return
			}
		case <-deadline:
			s.t.Fatalf("%s: not told; states %v, toasts %q", what, s.states, s.toasts)
		}
	}
}

func (s *suspended) note(n notified) {
	var params struct {
		State   jsonrpc.SessionState
		Attempt int
		Message string
	}
	if json.Unmarshal(n.Params, &params) != nil {
		return
	}
	switch n.Method {
	case "$/sketch/session":
		s.states = append(s.states, params.State)
		if (params.State == jsonrpc.SessionReconnecting) != (params.Attempt > 0) {
			s.t.Errorf("%s with attempt %d", params.State, params.Attempt)
		}
	case "window/showMessage", "window/showMessageRequest":
		s.toasts = append(s.toasts, params.Message)
	}
}

// request asks for the page; the answer is to be read by answer.
func (s *suspended) request(c net.Conn) {
	s.t.Helper()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
}

func answer(c net.Conn, within time.Duration) error {
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && string(body) != "hello" {
		err = fmt.Errorf("the page is %q", body)
	}
	return err
}

func (s *suspended) connect() net.Conn {
	s.t.Helper()
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port.HostPort)), patience)
	if err != nil {
		s.t.Fatalf("the host's listener: %v", err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

// idle is an established connection that has carried a request.
func (s *suspended) idle() net.Conn {
	s.t.Helper()
	c := s.connect()
	s.request(c)
	if err := answer(c, patience); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// TestSuspendedProcess stops the backend as a closed lid or a debugger does.
func TestSuspendedProcess(t *testing.T) {
	t.Parallel()
	s := startSuspended(t)
	first := s.port

	// The container goes on meanwhile: everything is as it was, established connections included.
	idle := s.idle()
	s.signal(syscall.SIGSTOP)
	held := s.connect()
	s.request(held)
	<-time.After(5 * time.Second) // how long the process is suspended: longer than a peer may be silent
	s.signal(syscall.SIGCONT)
	if err := answer(held, patience); err != nil {
		t.Errorf("request made while the process was suspended: %v", err)
	}
	s.request(idle)
	if err := answer(idle, patience); err != nil {
		t.Errorf("established connection after the process was continued: %v", err)
	}

	// The container restarts meanwhile: found out and mended without anybody doing anything.
	s.signal(syscall.SIGSTOP)
	held = s.connect()
	s.request(held)
	mustRun(t, "docker", "restart", "-t", "1", s.session.Container)
	s.serve()
	before := len(s.states)
	s.signal(syscall.SIGCONT)
	back := time.Now()
	if err := answer(held, patience); err != nil {
		t.Errorf("request made while the container restarted: %v", err)
	}
	served := time.Since(back)
	if err := idle.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("connection established before the restart: read %v, want a reset", err)
	}
	s.await("connected", func(notified) bool {
		told := s.states[before:]
		return len(told) > 1 && told[len(told)-1] == jsonrpc.SessionConnected
	})
	connected := time.Since(back)
	var got jsonrpc.PortsResult
	err := json.Unmarshal(s.call(3, "workspace/executeCommand", map[string]any{"command": "sketch.ports"}), &got)
	if err != nil || len(got.Ports) != 1 || got.Ports[0].HostPort != first.HostPort || got.Ports[0].Generation != first.Generation {
		t.Errorf("the ports are %+v (%v), want %+v", got.Ports, err, first)
	}
	if len(s.toasts) != 1 || !strings.Contains(s.toasts[0], strconv.Itoa(insidePort)) {
		t.Errorf("toasts: %q, want one for the port", s.toasts)
	}
	t.Logf("held request served %v, connected told %v after the process was continued: %v", served, connected, s.states[before:])
}
