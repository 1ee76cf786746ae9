package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// patience bounds what is waited for. How long it takes on a machine that does nothing else is measured by internal/bench: a dead peer is to be noticed
// within 10 s, and what it was asked meanwhile answered within 2 s of its return.
const patience = time.Minute

// TestMain builds the program that runs inside the containers: a test binary is no agent.
func TestMain(m *testing.M) { os.Exit(withAgent(m)) }

func withAgent(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sketch-session-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	agent := filepath.Join(dir, "sketch-ide")
	build := exec.Command("go", "build", "-o", agent, "github.com/sketch-ide/sketch-ide/cmd/sketch-ide")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the agent: %v\n%s", err, out)
		return 1
	}
	os.Setenv("SKETCH_IDE_AGENT", agent)
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func baseImage() string {
	if image := os.Getenv("SKETCH_IDE_BASE_IMAGE"); image != "" {
		return image
	}
	return "sketch-ide/debian:bookworm"
}

// connect reaches the real engine. Without one the tests fail: a skipped test would count for nothing.
func connect(ctx context.Context) (session.Engine, error) {
	e, err := container.Connect(ctx, container.Options{})
	if err != nil {
		return nil, fmt.Errorf("a Docker engine is needed (make test sets one up): %w", err)
	}
	return e, nil
}

// window is one process's part: a supervisor and what it told.
type window struct {
	*session.Supervisor
	t        *testing.T
	close    func()
	mu       sync.Mutex
	info     map[string]session.Info
	branches map[string]session.Branch
	told     []session.Info // everything, in order
	wrong    []error        // problems, in order
	news     chan struct{}
}

func (w *window) SessionChanged(i session.Info) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tellLocked(i)
}

func (w *window) PortsChanged(i session.Info) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tellLocked(i)
}

func (w *window) BranchChanged(name string, b session.Branch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.branches[name] = b
	close(w.news)
	w.news = make(chan struct{})
}

func (w *window) Problem(_ string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, err)
	close(w.news)
	w.news = make(chan struct{})
}

func (w *window) tellLocked(i session.Info) {
	w.info[i.Name] = i
	w.told = append(w.told, i)
	close(w.news)
	w.news = make(chan struct{})
}

// open opens a window on the state directory; it is closed with the test if not before.
func open(t *testing.T, store *session.Store, change ...func(*session.Config)) *window {
	t.Helper()
	w := &window{t: t, info: map[string]session.Info{}, branches: map[string]session.Branch{}, news: make(chan struct{})}
	cfg := session.Config{
		Store: store, Connect: connect, Version: "test", Observer: w, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	w.Supervisor = session.NewSupervisor(cfg)
	w.Configure(session.Settings{BaseImage: baseImage()})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }() // ends with cancel; close waits
	w.close = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.close)
	return w
}

// await waits until the session's told state satisfies ok.
func (w *window) await(name, what string, ok func(session.Info) bool) session.Info {
	w.t.Helper()
	return awaitNews(w, name+": "+what, func() session.Info { return w.info[name] }, ok)
}

// awaitNews waits until what look sees, with the window's lock held, satisfies ok.
func awaitNews[T any](w *window, what string, look func() T, ok func(T) bool) T {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		w.mu.Lock()
		seen, news := look(), w.news
		w.mu.Unlock()
		if ok(seen) {
			return seen
		}
		select {
		case <-news:
		case <-deadline:
			w.t.Fatalf("%s: not seen within %v; last: %+v", what, patience, seen)
		}
	}
}

func (w *window) start(repo string) session.Info {
	w.t.Helper()
	info, err := w.Start(w.t.Context(), session.StartOptions{Folder: repo}, func(p session.Progress) { w.t.Log(p.Message) })
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { removeContainer(w.t, info.Container) })
	return info
}

func removeContainer(t *testing.T, id string) {
	t.Helper()
	e, err := connect(context.Background())
	if err != nil {
		t.Error(err)
		return
	}
	if err := errors.Join(e.Remove(context.Background(), id), e.Close()); err != nil {
		t.Error(err)
	}
}

func newStore(t *testing.T) *session.Store {
	t.Helper()
	s, err := session.OpenStore(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newRepo(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "my app")
	runGit(t, "init", "-q", "-b", "main", dir)
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("hello from inside\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runGit(t, "-C", dir, "add", ".")
	runGit(t, "-C", dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", "first")
	return dir
}

func runGit(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// lastPort makes freePort give parallel tests different numbers, with room for a neighbour.
var lastPort atomic.Int32

func freePort(t *testing.T) uint16 {
	t.Helper()
	for port := 21000 + os.Getpid()%5000 + 10*int(lastPort.Add(1)); port < 32000; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return uint16(port)
		}
	}
	t.Fatal("no free port")
	return 0
}

// serve runs a web server inside until the returned function is called.
func (w *window) serve(name, address string, port uint16) (stop func()) {
	return w.serveBy(name, []string{"python3", "-m", "http.server", "--bind", address, strconv.Itoa(int(port))})
}

// serveBy runs a server inside until the returned function is called.
func (w *window) serveBy(name string, argv []string) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Exec(ctx, name, argv, session.Streams{}) }() // ends with cancel; stop waits
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	w.t.Cleanup(stop)
	return stop
}

func forwarded(port uint16) func(session.Info) bool {
	return func(i session.Info) bool { return find(i, port).Status == tunnel.Forwarded }
}

func find(i session.Info, port uint16) tunnel.Forward {
	for _, f := range i.Forwards {
		if f.Port == port {
			return f
		}
	}
	return tunnel.Forward{}
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
