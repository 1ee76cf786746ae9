package session_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/sketch-ide/sketch-ide/session"
)

func testWebSocket(t *testing.T, s *streams) {
	c, err := websocket.Dial("ws://"+s.at["http"]+"/ws", "", "http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 125, 65536, 1 << 20} {
		sent := bytes.Repeat([]byte{byte(size)}, size)
		got := make([]byte, size)
		go c.Write(sent) // ends with the frame; read below
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(sent, got) {
			t.Fatalf("%d bytes: %v", size, err)
		}
	}
}

func testHTTP2(t *testing.T, s *streams) {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	res, err := client.Get("http://" + s.at["http"] + "/proto")
	if err != nil {
		t.Fatal(err)
	}
	proto, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || string(proto) != "HTTP/2.0" {
		t.Fatalf("protocol: %q, %v", proto, err)
	}
	// Both directions of many streams of one connection at once.
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			in, out := io.Pipe()
			res, err := client.Post("http://"+s.at["http"]+"/echo", "text/plain", in)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			replies := bufio.NewReader(res.Body)
			for n := range 50 {
				line := fmt.Sprintf("%d of stream %d\n", n, i)
				fmt.Fprint(out, line)
				if reply, err := replies.ReadString('\n'); err != nil || reply != line {
					t.Errorf("stream %d: %q, %v", i, reply, err)
					break
				}
			}
			out.Close()
		})
	}
	wg.Wait()
}

func roundTrip(c net.Conn) error {
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

// client runs a program of the host.
func client(t *testing.T, stdin io.Reader, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = stdin
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%s is needed (scripts/test-deps.sh installs it): %v", name, err)
	}
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

func testPostgreSQL(t *testing.T, s *streams) {
	s.inside(session.Streams{}, "su", "postgres", "-c", "exec /usr/lib/postgresql/*/bin/postgres -D /etc/postgresql/*/main")
	at := find(s.await(s.name, "forward of PostgreSQL", forwarded(5432)), 5432)
	psql := func(stdin io.Reader, sql string) string {
		return client(t, stdin, "psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-c", sql,
			fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres connect_timeout=10", at.HostPort))
	}
	s.ready(t, func() error {
		return exec.CommandContext(t.Context(), "pg_isready", "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(int(at.HostPort))).Run()
	})
	psql(nil, "CREATE TABLE numbers (n bigint, text text)")
	const rows = 100_000
	var table bytes.Buffer
	for n := range rows {
		fmt.Fprintf(&table, "%d\tthe number %d\n", n, n)
	}
	copied := table.String()
	psql(strings.NewReader(copied), "COPY numbers FROM STDIN")
	if got, want := psql(nil, "SELECT count(*), sum(n) FROM numbers"), fmt.Sprintf("%d|%d", rows, rows*(rows-1)/2); got != want {
		t.Errorf("count and sum: %s, want %s", got, want)
	}
	if got := psql(nil, "COPY numbers TO STDOUT"); got != strings.TrimSpace(copied) {
		t.Errorf("the table comes back with %d bytes, went with %d", len(got), len(copied))
	}
}

func testRedis(t *testing.T, s *streams) {
	s.inside(session.Streams{}, "redis-server", "--save", "", "--bind", "127.0.0.1")
	at := find(s.await(s.name, "forward of Redis", forwarded(6379)), 6379)
	redis := func(stdin io.Reader, args ...string) string {
		return client(t, stdin, "redis-cli", append([]string{"-p", strconv.Itoa(int(at.HostPort))}, args...)...)
	}
	if got := redis(nil, "PING"); got != "PONG" {
		t.Errorf("PING: %q", got)
	}
	value := strings.Repeat("sketch", 1<<20)
	if got := redis(strings.NewReader(value), "-x", "SET", "large"); got != "OK" {
		t.Errorf("SET: %q", got)
	}
	if got := redis(nil, "GET", "large"); got != value {
		t.Errorf("GET: %d bytes, want %d", len(got), len(value))
	}
	if got := redis(strings.NewReader(strings.Repeat("INCR count\r\n", 50_000)), "--pipe"); !strings.Contains(got, "errors: 0, replies: 50000") {
		t.Errorf("pipelined: %q", got)
	}
	if got := redis(nil, "GET", "count"); got != "50000" {
		t.Errorf("count: %q", got)
	}
}

// ready waits until check succeeds.
func (s *streams) ready(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for err := check(); err != nil; err = check() {
		if time.Now().After(deadline) {
			t.Fatalf("not ready in time: %v", err)
		}
	}
}
