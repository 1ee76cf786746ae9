package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
)

// streamsImage has real servers of protocols that people forward.
const streamsImage = `FROM %s
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql redis-server \
 && rm -rf /var/lib/apt/lists/* \
 && echo 'host all all samehost trust' | tee /etc/postgresql/*/main/pg_hba.conf
`

// TestStreams drives what applications do with their connections through real forwards of a real container. It is not parallel, nor are its parts: one of
// them counts what the whole process holds.
func TestStreams(t *testing.T) {
	repo := newRepo(t)
	if err := os.WriteFile(filepath.Join(repo, "Dockerfile.sketch"), fmt.Appendf(nil, streamsImage, baseImage()), 0o600); err != nil {
		t.Fatal(err)
	}
	w := open(t, newStore(t))
	info := w.start(repo)
	t.Cleanup(func() { agentEndsTidy(t, info.Container) }) // when what runs inside has ended
	s := &streams{window: w, name: info.Name, program: buildStreams(t), lines: make(chan string, 100), at: map[string]string{}}
	s.run()
	for _, tt := range []struct {
		name string
		test func(*testing.T, *streams)
	}{
		{"client half-closes", testClientHalfCloses},
		{"server half-closes", testServerHalfCloses},
		{"server speaks first", testServerSpeaksFirst},
		{"client resets", testClientResets},
		{"server resets", testServerResets},
		{"WebSocket", testWebSocket},
		{"HTTP/2", testHTTP2},
		{"stalled readers", testStalledReaders},
		{"PostgreSQL", testPostgreSQL},
		{"Redis", testRedis},
		{"many idle connections", testManyIdleConnections},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, s) })
	}
}

// streams is a session with the program of testdata/streams running inside.
type streams struct {
	*window
	name    string
	program string            // the servers inside, and a client for here
	lines   chan string       // what the program printed of its connections
	at      map[string]string // host addresses of its servers
}

func buildStreams(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "streams")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", name, "./testdata/streams")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the servers: %v\n%s", err, out)
	}
	return name
}

// run copies the program inside, starts it, and forwards its servers by hand: ports of the ephemeral range are not by themselves.
func (s *streams) run() {
	s.t.Helper()
	program, err := os.Open(s.program)
	if err != nil {
		s.t.Fatal(err)
	}
	defer program.Close()
	if err := s.Exec(s.t.Context(), s.name, []string{"sh", "-c", "cat >/tmp/streams && chmod +x /tmp/streams"}, session.Streams{In: program}); err != nil {
		s.t.Fatal(err)
	}
	in, out := io.Pipe()
	s.inside(session.Streams{Out: out, Err: s.t.Output()}, "/tmp/streams")
	go func() { // ends with the program, whose end closes the pipe
		for lines := bufio.NewScanner(in); lines.Scan(); {
			s.lines <- lines.Text()
		}
	}()
	for range 8 {
		name, number, _ := strings.Cut(s.line(), " ")
		port, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			s.t.Fatal(err)
		}
		f, err := s.Forward(s.t.Context(), s.name, uint16(port), 0)
		if err != nil {
			s.t.Fatal(err)
		}
		s.at[name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(int(f.HostPort)))
	}
}

// inside runs a command inside for the rest of the test.
func (s *streams) inside(std session.Streams, argv ...string) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { // ends with cancel; the clean-up waits
		defer close(ended)
		err := s.Exec(ctx, s.name, argv, std)
		if out, ok := std.Out.(io.Closer); ok {
			out.Close()
		}
		if ctx.Err() == nil {
			s.t.Errorf("%v ended: %v", argv, err)
		}
	}()
	s.t.Cleanup(func() { cancel(); <-ended })
}

// line is the next one that the program prints.
func (s *streams) line() string {
	s.t.Helper()
	select {
	case line := <-s.lines:
		return line
	case <-time.After(patience):
		s.t.Fatal("the servers inside said nothing")
		return ""
	}
}

// dial connects to a server of the program, for a minute at most.
func (s *streams) dial(t *testing.T, server string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.at[server])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

const megabytes = 2 << 20

func testClientHalfCloses(t *testing.T, s *streams) {
	c := s.dial(t, "answer")
	if _, err := c.Write(make([]byte, megabytes)); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(c); err != nil || len(answer) != megabytes {
		t.Errorf("answer after the half-close: %d bytes, %v; want %d", len(answer), err, megabytes)
	}
}

func testServerHalfCloses(t *testing.T, s *streams) {
	c := s.dial(t, "bye")
	if bye, err := io.ReadAll(c); err != nil || string(bye) != "bye" {
		t.Fatalf("before the half-close: %q, %v", bye, err)
	}
	if _, err := c.Write(make([]byte, megabytes)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if got, want := s.line(), fmt.Sprintf("bye got %d <nil>", megabytes); got != want {
		t.Errorf("after its half-close the server says %q, want %q", got, want)
	}
}

func testServerSpeaksFirst(t *testing.T, s *streams) {
	c := s.dial(t, "greet")
	in := bufio.NewReader(c)
	if greeting, err := in.ReadString('\n'); err != nil || greeting != "220 ready\r\n" {
		t.Fatalf("greeting: %q, %v", greeting, err)
	}
	if _, err := io.WriteString(c, "QUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	if reply, err := in.ReadString('\n'); err != nil || reply != "QUIT\r\n" {
		t.Errorf("reply: %q, %v", reply, err)
	}
}

func testClientResets(t *testing.T, s *streams) {
	for _, reset := range []bool{true, false} {
		c := s.dial(t, "witness")
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if reset {
			if err := c.SetLinger(0); err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
		if got, want := s.line(), fmt.Sprint("witness saw reset: ", reset); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func testServerResets(t *testing.T, s *streams) {
	c := s.dial(t, "reset")
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read after the server's reset: %d, %v", n, err)
	}
}

// testStalledReaders: whoever does not read holds up nobody else, neither quick exchanges nor a large transfer.
func testStalledReaders(t *testing.T, s *streams) {
	for range 16 {
		c := s.dial(t, "flood")
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil { // it has begun; nothing more is read
			t.Fatal(err)
		}
	}
	var took []time.Duration
	c := s.dial(t, "echo")
	large := s.dial(t, "flood")
	done := make(chan error, 1)
	go func() { // ends with the transfer or its deadline; read below
		_, err := io.CopyN(io.Discard, large, 64<<20)
		done <- err
	}()
	for range 200 {
		begun := time.Now()
		if err := roundTrip(c); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	if err := <-done; err != nil {
		t.Errorf("transfer beside stalled readers: %v", err)
	}
	slices.Sort(took)
	t.Logf("exchanges beside stalled readers took %v in the median, %v at most", took[len(took)/2], took[len(took)-1])
}
