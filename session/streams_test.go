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
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/websocket"

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
	s := &streams{window: w, name: w.start(repo).Name, program: buildStreams(t), lines: make(chan string, 100), at: map[string]string{}}
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

// testManyIdleConnections opens ten thousand connections, and some again, and sees that nothing of them stays on either side.
func testManyIdleConnections(t *testing.T, s *streams) {
	before := s.holdings(t)
	rest := before // after a round; where the next must end too
	for round, many := range []int{10_000, 2_000} {
		begun := time.Now()
		release := s.hold(t, many)
		full := s.holdings(t)
		t.Logf("%d connections: %v; %+v", many, time.Since(begun), full)
		if full.files < before.files+many || full.agentFiles < before.agentFiles+many {
			t.Errorf("not that many connections are open: %+v, before: %+v", full, before)
		}
		if perConn := (full.memory - before.memory) / many; round == 0 && perConn > 28<<10 {
			t.Errorf("%d bytes of memory for each connection on the host", perConn)
		}
		release()
		allowed := allowance{memory: 16 << 20} // of 200 MiB; the runtime's records of goroutines alone, which it keeps, are 12
		if round > 0 {
			allowed = allowance{memory: 2 << 20, agentMemory: 32 << 10}
		}
		var after holdings
		s.ready(t, func() error {
			after = s.holdings(t)
			return after.leftover(rest, allowed)
		})
		t.Logf("after %d: %+v", many, after)
		rest = after
	}
}

// hold has a process of its own open that many connections; release closes them.
func (s *streams) hold(t *testing.T, many int) (release func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*patience)
	cmd := exec.CommandContext(ctx, s.program, "hold", s.at["echo"], strconv.Itoa(many))
	var problem strings.Builder
	cmd.Stderr = &problem
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() {
		defer cancel()
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("client of %d connections: %v\n%s", many, err, problem.String())
		}
	})
	t.Cleanup(release)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		release()
		t.Fatalf("client of %d connections: %q, %v", many, line, err)
	}
	return release
}

// holdings are what this process holds, which is the host's side and the test's own, and what the agent holds.
type holdings struct {
	goroutines, files, memory int // memory in bytes, less what the collector could free
	agentFiles, agentMemory   int // memory in KiB, resident
}

func (s *streams) holdings(t *testing.T) holdings {
	t.Helper()
	var out strings.Builder
	const script = `for p in /proc/[0-9]*; do [ "$(tr '\0' ' ' <$p/cmdline)" = "/opt/sketch-ide/bin/sketch-ide agent " ] && ls $p/fd | wc -l && awk '/VmRSS/ {print $2}' $p/status; done 2>/dev/null; true`
	if err := s.Exec(t.Context(), s.name, []string{"sh", "-c", script}, session.Streams{Out: &out}); err != nil {
		t.Fatal(err)
	}
	var h holdings
	if _, err := fmt.Sscan(out.String(), &h.agentFiles, &h.agentMemory); err != nil {
		t.Fatalf("agent's descriptors and memory: %v in %q", err, out.String())
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	h.goroutines, h.files, h.memory = runtime.NumGoroutine(), len(files), int(m.HeapAlloc+m.StackInuse)
	return h
}

// allowance is how much more memory may be held after a round: of what keeps its size for the next time, tables of channels, pooled buffers.
type allowance struct {
	memory      int // bytes
	agentMemory int // KiB; 0: any
}

// leftover is an error when h is more than before. It allows for what comes and goes by itself: a keepalive, an event of the engine.
func (h holdings) leftover(before holdings, more allowance) error {
	const some = 10
	if h.goroutines > before.goroutines+some || h.files > before.files+some || h.agentFiles > before.agentFiles+some ||
		h.memory > before.memory+more.memory || more.agentMemory > 0 && h.agentMemory > before.agentMemory+more.agentMemory {
		return fmt.Errorf("%+v, before: %+v", h, before)
	}
	return nil
}
