package session_test

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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

// visit is one request on a connection of its own.
type visit struct {
	begun, ended time.Time
	err          error
}

// visitors make fresh connections to a host port all the time.
type visitors struct {
	client *http.Client
	url    string
	stop   func()
	apart  sync.RWMutex // held by each visit; whoever locks it has the server without visitors

	mu     sync.Mutex // guards what follows
	visits []visit
	news   chan struct{} // closed and replaced at each visit
}

func newVisitors(t *testing.T, url string) *visitors {
	v := &visitors{url: url, news: make(chan struct{}), client: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience,
	}}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 3 {
		// Ends with cancel; stop waits.
		group.Go(func() { v.keepVisiting(ctx) })
	}
	v.stop = sync.OnceFunc(func() { cancel(); group.Wait() })
	t.Cleanup(v.stop)
	return v
}

func (v *visitors) keepVisiting(ctx context.Context) {
	ticker := time.NewTicker(15 * time.Millisecond)
	defer ticker.Stop()
	for {
		v.apart.RLock()
		seen := visit{begun: time.Now()}
		seen.err = v.visit(ctx)
		seen.ended = time.Now()
		v.apart.RUnlock()
		if ctx.Err() != nil {
			return
		}
		v.mu.Lock()
		v.visits = append(v.visits, seen)
		close(v.news)
		v.news = make(chan struct{})
		v.mu.Unlock()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (v *visitors) visit(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url, nil)
	if err != nil {
		return err
	}
	res, err := v.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(body), "hello from inside")) {
		err = fmt.Errorf("answer %s %q", res.Status, body)
	}
	return err
}

// awaitVisit waits until a request that began after since was answered.
func (v *visitors) awaitVisit(t *testing.T, since time.Time) {
	t.Helper()
	deadline := time.After(patience)
	for {
		v.mu.Lock()
		news := v.news
		for n := len(v.visits) - 1; n >= 0 && v.visits[n].ended.After(since); n-- {
			if v.visits[n].begun.After(since) && v.visits[n].err == nil {
				v.mu.Unlock()
				return
			}
		}
		v.mu.Unlock()
		select {
		case <-news:
		case <-deadline:
			t.Fatalf("%s: nobody was answered", v.url)
		}
	}
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

// away is how long the server needed, after the death that the visit met, until somebody was answered again. On a machine that does much else a
// server can need longer than the linger, and then it is right that nobody waits for it.
func (v *visitors) away(met visit, deaths []death) time.Duration {
	var last death
	for _, d := range deaths {
		if d.to.Before(met.ended) {
			last = d
		}
	}
	for _, other := range v.visits {
		if other.err == nil && other.begun.After(last.to) {
			return other.ended.Sub(last.to)
		}
	}
	return time.Since(last.to)
}

// tooLong tells whether the tunnel may have given the server up after a death.
func (v *visitors) tooLong(d death) bool {
	for _, one := range v.visits {
		if one.err == nil && one.begun.After(d.to) {
			return one.ended.Sub(d.from) > restartLinger
		}
	}
	return true
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

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

// npmDir is where the node servers are inside.
const npmDir = "/opt/devservers"

// installNode brings Node.js, vite and nodemon in, as npm installs them from the lock file.
func installNode(t *testing.T, w *window, info session.Info) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/devservers")); err != nil {
		t.Fatal(err)
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	r, archive := io.Pipe()
	go func() { archive.CloseWithError(writeTar(archive, dir)) }() // ends when the reader is closed
	defer r.Close()
	if err := w.Exec(t.Context(), info.Name, []string{"sh", "-c", "mkdir -p " + npmDir + " && tar -x -C " + npmDir}, session.Streams{In: r}); err != nil {
		t.Fatal(err)
	}
}

// writeTar archives dir, links included.
func writeTar(w io.Writer, dir string) error {
	archive := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		header, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		if header.Name, err = filepath.Rel(dir, path); err != nil {
			return err
		}
		if err := archive.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(archive, f)
		return errors.Join(err, f.Close())
	})
	return errors.Join(err, archive.Close())
}

// nodeArgv runs a JavaScript file with the Node.js that was brought in.
func nodeArgv(folder, script string, args ...string) []string {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	bin := npmDir + "/node_modules/node-linux-" + arch + "/bin"
	run := fmt.Sprintf(`cd %s/%s && PATH=%s:$PATH NO_COLOR=1 exec node "$@"`, npmDir, folder, bin)
	return append([]string{"sh", "-c", run, "sh", script}, args...)
}

// restartByTouch restarts a server by changing a file of its project. The old server is known to have ended when the line ended is written.
func (s *devServer) restartByTouch(v *visitors, times int, file, ended string) []death {
	s.t.Helper()
	var deaths []death
	for len(deaths) < times {
		d := death{from: time.Now()}
		// Written anew, as an editor saves a file.
		if err := s.Exec(s.t.Context(), s.Name, []string{"sh", "-c", fmt.Sprintf("echo '// %d' >>%s", len(deaths), file)}, session.Streams{}); err != nil {
			s.t.Fatal(err)
		}
		s.awaitLine(ended)
		d.to = time.Now()
		deaths = append(deaths, d)
		v.awaitVisit(s.t, d.to)
	}
	return deaths
}

func TestRestartsOfNodeServers(t *testing.T) {
	t.Parallel()
	w := open(t, newStore(t))
	info := w.start(newRepo(t))
	installNode(t, w, info)
	write := func(t *testing.T, path, content string) {
		t.Helper()
		in := strings.NewReader(content)
		if err := w.Exec(t.Context(), info.Name, []string{"sh", "-c", `mkdir -p "${1%/*}" && cat >"$1"`, "sh", npmDir + "/" + path}, session.Streams{In: in}); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("nodemon", func(t *testing.T) {
		t.Parallel()
		port := freePort(t)
		write(t, "nodemon/server.js", fmt.Sprintf("import http from 'node:http'\nhttp.createServer((q, r) => r.end('hello from inside')).listen(%d, '127.0.0.1')\n", port))
		write(t, "nodemon/package.json", `{"type": "module"}`)
		s := startServer(t, w, info, port, nodeArgv("nodemon", "../node_modules/nodemon/bin/nodemon.js", "server.js"))
		s.awaitLine("[nodemon] starting")
		v := newVisitors(t, s.forward.URL()+"/")
		s.judge(v, s.restartByTouch(v, 100, npmDir+"/nodemon/server.js", "[nodemon] starting"))
	})
	t.Run("vite", func(t *testing.T) {
		t.Parallel()
		port := freePort(t)
		write(t, "vite/index.html", "<!doctype html><title>hello from inside</title>\n")
		write(t, "vite/vite.config.js", fmt.Sprintf("export default { server: { port: %d, strictPort: true } }\n", port))
		s := startServer(t, w, info, port, nodeArgv("vite", "../node_modules/vite/bin/vite.js"))
		s.awaitLine("Local:") // by then it watches its configuration
		v := newVisitors(t, s.forward.URL()+"/")
		s.judge(v, s.restartByTouch(v, 100, npmDir+"/vite/vite.config.js", "server restarted"))
	})
}
