//go:build linux

package dockertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// startLimit is how long a dockerd may take to answer on a loaded machine.
const startLimit = 90 * time.Second

// Engine is a dockerd of the test's own. It runs in a network namespace of its own: its containers' addresses and the ports that it publishes on its loopback
// interface exist there only.
type Engine struct {
	t      testing.TB
	dir    string // short, for the length of sockets' paths
	socket string
	certs  certificates
	cmd    *exec.Cmd
	ended  chan struct{} // closed when cmd has
	pid    atomic.Int64  // of cmd, for the relay, which works through restarts
}

// tlsPort is where dockerd listens in its own namespace, where it is alone.
const tlsPort = "2376"

// Start runs an engine until the test's end.
func Start(t testing.TB) *Engine {
	t.Helper()
	dir, err := os.MkdirTemp("", "sketch-engine-")
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{t: t, dir: dir, socket: filepath.Join(dir, "docker.sock"), certs: makeCertificates(t)}
	t.Cleanup(e.remove)
	e.start()
	return e
}

// Host is the address of the engine's socket, for the docker command of the test.
func (e *Engine) Host() string { return "unix://" + e.socket }

// start runs dockerd and waits for its answer.
func (e *Engine) start() {
	e.t.Helper()
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		e.t.Fatal(err)
	}
	defer log.Close()
	// The shell brings the loopback interface up, and becomes dockerd.
	e.cmd = exec.CommandContext(context.Background(), "unshare", "--net", "sh", "-c", `ip link set lo up && exec dockerd "$@"`, "dockerd",
		"--data-root", filepath.Join(e.dir, "data"), "--exec-root", filepath.Join(e.dir, "exec"), "--pidfile", filepath.Join(e.dir, "pid"),
		"--host", e.Host(), "--host", "tcp://127.0.0.1:"+tlsPort,
		"--tlsverify", "--tlscacert", e.certs.file("ca.pem"), "--tlscert", e.certs.file("server.pem"), "--tlskey", e.certs.file("server-key.pem"))
	e.cmd.Stdout, e.cmd.Stderr = log, log
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	cmd, started, ended := e.cmd, make(chan error), make(chan struct{})
	e.ended = ended
	// The kernel sends Pdeathsig when the thread ends that started the process, so that one stays for as long; stop waits for it.
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // what went wrong is in the log
		}
	}()
	if err := <-started; err != nil {
		e.t.Fatalf("start a second engine: %v", err)
	}
	e.pid.Store(int64(cmd.Process.Pid))
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		if exec.CommandContext(ctx, "docker", "-H", e.Host(), "version").Run() == nil {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			e.t.Fatalf("the second engine does not answer; its log:\n%s", e.lastLog())
		}
	}
}

func (e *Engine) lastLog() string {
	data, err := os.ReadFile(filepath.Join(e.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-4096):])
}

// Restart ends the engine with all its containers, as a reboot of its machine does, and starts it again.
func (e *Engine) Restart() {
	e.t.Helper()
	e.stop()
	e.start()
}

// stop ends dockerd, which stops its containers, and waits for it.
func (e *Engine) stop() {
	if e.cmd == nil || e.cmd.Process == nil {
		return
	}
	_ = e.cmd.Process.Signal(syscall.SIGTERM) // one that is gone already is as good
	kill := time.AfterFunc(30*time.Second, func() { _ = e.cmd.Process.Kill() })
	<-e.ended
	kill.Stop()
	e.cmd = nil
}

// remove ends the engine, and what a killed one leaves mounted.
func (e *Engine) remove() {
	e.stop()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		e.t.Error(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], e.dir+"/") {
			_ = unix.Unmount(fields[1], unix.MNT_DETACH) // what stays shows when the folder is removed
		}
	}
	if err := os.RemoveAll(e.dir); err != nil {
		e.t.Errorf("remove the second engine's folder: %v", err)
	}
}

// Docker runs the docker command against the engine and returns what it prints.
func (e *Engine) Docker(args ...string) string {
	e.t.Helper()
	return docker(e.t, nil, append([]string{"-H", e.Host()}, args...)...)
}

// Load copies an image of the first engine.
func (e *Engine) Load(image string) {
	e.t.Helper()
	docker(e.t, []byte(docker(e.t, nil, "save", image)), "-H", e.Host(), "load")
}
