package session_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// devServer is a server inside that restarts when it is told to.
type devServer struct {
	*window
	session.Info
	t       *testing.T
	port    uint16
	forward tunnel.Forward // as it was first told
	mark    int            // what was told after it
	in      *io.PipeWriter
	lines   chan string // of its output
}

// startServer runs a command inside that tells on its standard output what it does, until the test ends.
func startServer(t *testing.T, w *window, info session.Info, port uint16, argv []string) *devServer {
	t.Helper()
	in, toIn := io.Pipe()
	fromOut, out := io.Pipe()
	s := &devServer{window: w, Info: info, t: t, port: port, in: toIn, lines: make(chan string, 1000)}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	// Both end with cancel; waited for when the test ends.
	group.Go(func() { out.CloseWithError(w.Exec(ctx, info.Name, argv, session.Streams{In: in, Out: out, Err: out})) })
	group.Go(func() {
		for r := bufio.NewScanner(fromOut); r.Scan(); {
			select {
			case s.lines <- r.Text():
			case <-ctx.Done():
			}
		}
	})
	t.Cleanup(func() {
		toIn.Close()
		cancel()
		group.Wait()
	})
	s.forward = find(w.await(info.Name, "forward", forwarded(port)), port)
	w.mu.Lock()
	defer w.mu.Unlock()
	s.mark = len(w.told)
	return s
}

// awaitLine waits for a line that contains text.
func (s *devServer) awaitLine(text string) {
	s.t.Helper()
	var seen []string
	deadline := time.After(patience)
	for {
		select {
		case line := <-s.lines:
			if strings.Contains(line, text) {
				return
			}
			seen = append(seen, line)
		case <-deadline:
			s.t.Fatalf("no line with %q; seen:\n%s", text, strings.Join(seen, "\n"))
		}
	}
}

func (s *devServer) say(line string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

// supervised restarts the command that is its arguments at each line of its input, which is a signal and for how long there is to be no
// server. It tells when the old one has ended.
const supervised = `
run() { "$@" </dev/null >/dev/null 2>&1 & pid=$!; }
run "$@"
while read -r signal gap; do
	kill "-$signal" "$pid"; wait "$pid"
	echo down
	sleep "$gap"
	run "$@"
done
kill "$pid"
`

func startSupervised(t *testing.T, w *window, info session.Info, port uint16, argv ...string) *devServer {
	t.Helper()
	return startServer(t, w, info, port, append([]string{"sh", "-c", supervised, "sh"}, argv...))
}

// death is the time in which a server ends: from when it was told to until it is known to have ended.
type death struct{ from, to time.Time }

// judge checks the visits. Whoever came when the old server had ended must have been served, however long that took. Whoever was with it at its end may
// have been cut off, by it and not by us; those are counted.
func (s *devServer) judge(v *visitors, deaths []death) {
	s.t.Helper()
	v.stop()
	if !slices.ContainsFunc(deaths, v.tooLong) {
		s.unchanged()
	}
	cut, late, failed := 0, 0, 0
	var waits []time.Duration
	for _, one := range v.visits {
		waits = append(waits, one.ended.Sub(one.begun))
		if one.err == nil {
			continue
		}
		withDying := slices.ContainsFunc(deaths, func(d death) bool { return one.begun.Before(d.to) && one.ended.After(d.from) })
		if withDying && !errors.Is(one.err, syscall.ECONNREFUSED) && !isTimeout(one.err) {
			cut++
			continue
		}
		if v.away(one, deaths) > restartLinger {
			late++
			continue
		}
		if failed++; failed <= 5 {
			s.t.Errorf("a visit of %v failed: %v", one.ended.Sub(one.begun), one.err)
		}
	}
	slices.Sort(waits)
	s.t.Logf("%d restarts, %d connections: %d failed, %d were with a server at its end and cut off by it, %d met one that was away for longer than the linger; answered after %v in the median, %v at most",
		len(deaths), len(v.visits), failed, cut, late, waits[len(waits)/2].Round(time.Millisecond), waits[len(waits)-1].Round(time.Millisecond))
}

// restartLinger is how long the tunnel holds connections for a server that restarts; its default.
const restartLinger = 1500 * time.Millisecond

// unchanged checks that the forward stayed and was never told as newly opened.
func (s *devServer) unchanged() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, info := range s.told[s.mark:] {
		if f := find(info, s.port); f.HostPort != s.forward.HostPort || f.Opened != s.forward.Opened {
			s.t.Errorf("told %s: host port %d, opened %d times; want %d, %d", f.Status, f.HostPort, f.Opened, s.forward.HostPort, s.forward.Opened)
			return
		}
	}
}

// restart restarts a supervised server often: mostly at once, at times with a pause within the linger, at times again before it could
// begin to listen; and mostly when nobody is with it, so that every single visit must succeed.
func (s *devServer) restart(v *visitors, times int, signal string) []death {
	s.t.Helper()
	var deaths []death
	kill := func(gap string) time.Time {
		if len(deaths)%4 != 0 {
			v.apart.Lock()
			defer v.apart.Unlock()
		}
		d := death{from: time.Now()}
		s.say(signal + " " + gap)
		s.awaitLine("down")
		d.to = time.Now()
		deaths = append(deaths, d)
		return d.to
	}
	for len(deaths) < times {
		gap := "0"
		switch len(deaths) % 10 {
		case 3:
			gap = "0.5"
		case 6:
			kill("0")
		case 8:
			gap = "0.05"
		}
		v.awaitVisit(s.t, kill(gap))
	}
	return deaths
}

func TestRestartsOfPlainServers(t *testing.T) {
	t.Parallel()
	w := open(t, newStore(t))
	info := w.start(newRepo(t))
	t.Run("python", func(t *testing.T) {
		t.Parallel()
		port := freePort(t)
		s := startSupervised(t, w, info, port, "python3", "-m", "http.server", "--bind", "127.0.0.1", fmt.Sprint(port))
		v := newVisitors(t, s.forward.URL()+"/index.html")
		s.judge(v, s.restart(v, 100, "TERM"))
	})
	t.Run("go", func(t *testing.T) {
		t.Parallel()
		binary := filepath.Join(t.TempDir(), "goserver")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./testdata/goserver")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build the server: %v\n%s", err, out)
		}
		f, err := os.Open(binary)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := w.Exec(t.Context(), info.Name, []string{"sh", "-c", "cat >/tmp/goserver && chmod +x /tmp/goserver"}, session.Streams{In: f}); err != nil {
			t.Fatal(err)
		}
		port := freePort(t)
		s := startSupervised(t, w, info, port, "/tmp/goserver", fmt.Sprintf("localhost:%d", port))
		v := newVisitors(t, s.forward.URL()+"/")
		s.judge(v, s.restart(v, 100, "TERM"))
	})
}
