//go:build linux

package agent_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// upperServer answers everything that a client sent, in capitals, once the client has half-closed.
func upperServer(t *testing.T, network, address string) net.Listener {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(patience))
			data, _ := io.ReadAll(conn)
			io.WriteString(conn, strings.ToUpper(string(data)))
			conn.Close()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln
}

// ask sends text, half-closes, and returns the answer.
func ask(conn net.Conn, text string) (string, error) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// lastPort makes freePort give tests that run side by side different numbers.
var lastPort atomic.Int32

// freePort is none of those that the kernel gives away, which another test may get before it is used here.
func freePort(t *testing.T) int {
	t.Helper()
	for port := 11000 + os.Getpid()%3000 + int(lastPort.Add(1)); port < 15000; port++ {
		if ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			ln.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// runSSH runs ssh until the test ends.
func (w *world) runSSH(args ...string) {
	w.t.Helper()
	cmd := w.tool("ssh", args...)
	var stderr logBuffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if w.t.Failed() {
			w.t.Log(stderr.String())
		}
	})
}

// askEventually asks over a listener that may not be there yet.
func (w *world) askEventually(network, address, text string) string {
	w.t.Helper()
	var answer string
	w.eventually(address+" answers", func() bool {
		conn, err := net.Dial(network, address)
		if err != nil {
			return false
		}
		answer, err = ask(conn, text)
		return err == nil
	})
	return answer
}

func TestLocalForward(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := upperServer(t, "tcp", "127.0.0.1:0")
	socket := w.path("target.sock")
	upperServer(t, "unix", socket)
	port, local := freePort(t), w.path("local.sock")
	w.runSSH("-N", "-L", fmt.Sprintf("%d:%s", port, target.Addr()), "-L", local+":"+socket, "box")
	if got := w.askEventually("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), "hello"); got != "HELLO" {
		t.Errorf("over TCP: %q", got)
	}
	if got := w.askEventually("unix", local, "hello"); got != "HELLO" {
		t.Errorf("over unix sockets: %q", got)
	}
}

func TestDynamicForward(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := upperServer(t, "tcp", "127.0.0.1:0")
	port := freePort(t)
	w.runSSH("-N", "-D", strconv.Itoa(port), "box")
	var conn net.Conn
	w.eventually("ssh listens", func() (ok bool) {
		var err error
		conn, err = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		return err == nil
	})
	// SOCKS 4: connect to the address, no user.
	address := target.Addr().(*net.TCPAddr)
	request := append([]byte{4, 1, byte(address.Port >> 8), byte(address.Port)}, address.IP.To4()...)
	conn.Write(append(request, 0))
	reply := make([]byte, 8)
	if _, err := io.ReadFull(conn, reply); err != nil || reply[1] != 0x5a {
		t.Fatalf("SOCKS: %x, %v", reply, err)
	}
	if got, err := ask(conn, "hello"); got != "HELLO" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestRemoteForward(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := upperServer(t, "tcp", "127.0.0.1:0")
	port, remote := freePort(t), w.path("remote.sock")
	w.runSSH("-N", "-R", fmt.Sprintf("%d:%s", port, target.Addr()), "-R", fmt.Sprintf("%s:%s", remote, target.Addr()), "box")
	if got := w.askEventually("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), "hello"); got != "HELLO" {
		t.Errorf("over TCP: %q", got)
	}
	if got := w.askEventually("unix", remote, "hello"); got != "HELLO" {
		t.Errorf("over unix sockets: %q", got)
	}
	info, err := os.Stat(remote)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %v, %v", info.Mode(), err)
	}
	// A port that is taken is refused, and ssh says so.
	if got := w.ssh("", "-R", fmt.Sprintf("%d:%s", port, target.Addr()), "box", "true"); got.status == 0 {
		t.Error("a taken port was forwarded")
	}
}

func TestRemoteForwardPortIsChosenAndCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.dial()
	ln, err := client.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	accepted.Close()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("the port still listens")
	}
}

func TestRemoteForwardsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.dial()
	for i := range 65 {
		_, err := client.Listen("tcp", "127.0.0.1:0")
		if i < 64 && err != nil {
			t.Fatalf("forward %d: %v", i, err)
		}
		if i == 64 && err == nil {
			t.Error("the limit was not kept")
		}
	}
}

func TestDirectRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.dial()
	tests := []struct {
		name, channel string
		payload       any
		want          string
	}{
		{"nobody listens", sshwire.ChannelDirectTCPIP, sshwire.DirectTCPIP{Host: "127.0.0.1", Port: uint32(freePort(t))}, "connection refused"},
		{"port 0", sshwire.ChannelDirectTCPIP, sshwire.DirectTCPIP{Host: "127.0.0.1"}, "malformed address"},
		{"port too large", sshwire.ChannelDirectTCPIP, sshwire.DirectTCPIP{Host: "127.0.0.1", Port: 65536}, "malformed address"},
		{"no socket", sshwire.ChannelDirectStreamlocal, sshwire.DirectStreamlocal{Path: w.path("none")}, "no such file or directory"},
		{"path too long", sshwire.ChannelDirectStreamlocal, sshwire.DirectStreamlocal{Path: strings.Repeat("/x", 60)}, "malformed path"},
		{"garbage", sshwire.ChannelDirectTCPIP, struct{ A string }{"x"}, "malformed address"},
		{"unknown channel", "x11", struct{ A string }{}, "unsupported channel type"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := client.OpenChannel(test.channel, ssh.Marshal(test.payload))
			var refused *ssh.OpenChannelError
			if !errors.As(err, &refused) || refused.Message != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestResetsPassThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client := w.dial()
	open := func() (*sshwire.Stream, *net.TCPConn) {
		target := ln.Addr().(*net.TCPAddr)
		channel, requests, err := client.OpenChannel(sshwire.ChannelDirectTCPIP,
			ssh.Marshal(sshwire.DirectTCPIP{Host: "127.0.0.1", Port: uint32(target.Port), OriginHost: "127.0.0.1"}))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		idle, _ := net.Pipe() // a transport that never breaks
		return sshwire.NewStream(channel, requests, sshwire.Buffer(idle)), conn.(*net.TCPConn)
	}

	stream, conn := open()
	sshwire.Abort(conn)
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target's reset arrives as %v", err)
	}
	stream.Close()

	stream, conn = open()
	stream.Abort()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client's reset arrives as %v", err)
	}
	conn.Close()
}

func TestBrokenConnectionEndsItsStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client := w.dial()
	stream, err := client.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(stream, "half a line")
	reader := bufio.NewReader(conn)
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := reader.Peek(4); err != nil {
		t.Fatal(err)
	}
	client.Close()
	if _, err := io.ReadAll(reader); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a stream whose connection broke ends with %v", err)
	}
}
