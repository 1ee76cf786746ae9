package session_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
)

// testManyIdleConnections opens ten thousand connections, and some again, and sees that nothing of them stays on either side.
func testManyIdleConnections(t *testing.T, s *streams) {
	before := s.holdings(t)
	rest := before // after a round; where the next must end too
	for round, many := range []int{10_000, 2_000} {
		begun := time.Now()
		release := s.hold(t, many)
		full := s.holdings(t)
		t.Logf("%d connections: %v; %+v", many, time.Since(begun), full)
		if full.files < before.files+many-some || full.agentFiles < before.agentFiles+many-some {
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
	var h holdings
	h.agentFiles, h.agentMemory = s.agentHolds(s.name)
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

// agentHolds are the descriptors of the agent of a session, and its resident memory in KiB.
func (w *window) agentHolds(name string) (files, memory int) {
	w.t.Helper()
	var out strings.Builder
	const script = `for p in /proc/[0-9]*; do [ "$(tr '\0' ' ' <$p/cmdline)" = "/opt/sketch-ide/bin/sketch-ide agent " ] && ls $p/fd | wc -l && awk '/VmRSS/ {print $2}' $p/status; done 2>/dev/null; true`
	if err := w.Exec(w.t.Context(), name, []string{"sh", "-c", script}, session.Streams{Out: &out}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := fmt.Sscan(out.String(), &files, &memory); err != nil {
		w.t.Fatalf("agent's descriptors and memory: %v in %q", err, out.String())
	}
	return files, memory
}

// agentEndsTidy ends the agent of a container such that it says what its goroutines do. None may be left of connections that have ended.
func agentEndsTidy(t *testing.T, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	script := "docker exec -u 0 $0 pkill -QUIT -x sketch-ide && docker wait $0 >/dev/null && docker logs $0"
	out, err := exec.CommandContext(ctx, "sh", "-c", script, id).CombinedOutput()
	if err != nil {
		t.Errorf("end of the agent: %v\n%s", err, out)
	}
	all, relays := strings.Count(string(out), "\ngoroutine "), strings.Count(string(out), "sshd.(*connection).serveDirectTCPIP(")
	if all == 0 || all > 100 || relays > 0 {
		t.Errorf("the agent has %d goroutines, %d of them of connections to ports:\n%.10000s", all, relays, out)
	}
	t.Logf("the agent has %d goroutines in the end", all)
}

// allowance is how much more memory may be held after a round: of what keeps its size for the next time, tables of channels, pooled buffers.
type allowance struct {
	memory      int // bytes
	agentMemory int // KiB; 0: any
}

// some is what comes and goes by itself: a keepalive, an event of the engine, the side connection.
const some = 20

// leftover is an error when h is more than before.
func (h holdings) leftover(before holdings, more allowance) error {
	if h.goroutines > before.goroutines+some || h.files > before.files+some || h.agentFiles > before.agentFiles+some ||
		h.memory > before.memory+more.memory || more.agentMemory > 0 && h.agentMemory > before.agentMemory+more.agentMemory {
		return fmt.Errorf("%+v, before: %+v", h, before)
	}
	return nil
}
