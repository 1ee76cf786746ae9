package session_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestSessionFromStartToEnd(t *testing.T) {
	t.Parallel()
	store, repo := newStore(t), newRepo(t)
	w := open(t, store)
	info := w.start(repo)
	if info.State != session.Connected || !info.Owner || info.Workspace != "/workspaces/my app" {
		t.Fatalf("after start: %+v", info)
	}

	var out strings.Builder
	err := w.Exec(t.Context(), info.Name, []string{"git", "log", "--format=%H %an %s", "-1"}, session.Streams{Out: &out})
	if want := runGit(t, "-C", repo, "rev-parse", "HEAD") + " Ann first\n"; err != nil || out.String() != want {
		t.Errorf("git log inside: %v, %q, want %q", err, out.String(), want)
	}

	for _, address := range []string{"127.0.0.1", "0.0.0.0", "::1", "::"} {
		port := freePort(t)
		stop := w.serve(info.Name, address, port)
		f := find(w.await(info.Name, "forward of "+address, forwarded(port)), port)
		if page := get(t, f.URL()+"/index.html"); page != "hello from inside\n" {
			t.Errorf("%s: GET answered %q", address, page)
		}
		stop()
		w.await(info.Name, "end of "+address, func(i session.Info) bool { return find(i, port).Port == 0 })
		if c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))); err == nil {
			c.Close()
			t.Errorf("host port %d accepts after the server's end", port)
		}
	}

	if err := w.Remove(t.Context(), info.Name); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Sessions(t.Context()); err != nil || contains(list, info.Name) {
		t.Errorf("after remove: %+v, %v", list, err)
	}
	if store.Exists(info.Name) {
		t.Error("state is left after remove")
	}
}

func contains(list []session.Info, name string) bool {
	for _, i := range list {
		if i.Name == name {
			return true
		}
	}
	return false
}

func TestTwoWindowsShareASessionAndHandItOver(t *testing.T) {
	t.Parallel()
	store, repo := newStore(t), newRepo(t)
	first, second := open(t, store), open(t, store)
	info := first.start(repo)
	if again := second.start(filepath.Join(repo, ".")); again.Name != info.Name || again.Owner {
		t.Fatalf("second window got %+v, want %s as a follower", again, info.Name)
	}
	port := freePort(t)
	first.serve(info.Name, "127.0.0.1", port)
	first.await(info.Name, "forward", forwarded(port))
	seen := second.await(info.Name, "owner's forward", forwarded(port))
	if seen.Owner {
		t.Error("both windows own the session")
	}
	if err := second.Unforward(t.Context(), info.Name, port); !errors.Is(err, session.ErrNotOwner) {
		t.Errorf("unforward by a follower: %v", err)
	}
	// The server lives on in the second window's hands: it was started by the first, whose connection ends with it.
	stop := second.serve(info.Name, "127.0.0.1", port+1)
	defer stop()
	first.await(info.Name, "second forward", forwarded(port+1))
	first.close()
	after := second.await(info.Name, "hand-over", func(i session.Info) bool { return i.Owner && forwarded(port+1)(i) })
	if f := find(after, port+1); f.HostPort != port+1 {
		t.Errorf("host port moved to %d in the hand-over", f.HostPort)
	}
	if page := get(t, find(after, port+1).URL()+"/index.html"); page != "hello from inside\n" {
		t.Errorf("GET after the hand-over answered %q", page)
	}
}

func TestKilledContainerIsToldAndResumed(t *testing.T) {
	t.Parallel()
	store, repo := newStore(t), newRepo(t)
	w := open(t, store)
	info := w.start(repo)
	if err := w.Exec(t.Context(), info.Name, []string{"sh", "-c", "echo kept > kept"}, session.Streams{}); err != nil {
		t.Fatal(err)
	}
	docker(t, "kill", info.Container)
	stopped := w.await(info.Name, "stop", func(i session.Info) bool { return i.State == session.Stopped })
	if !errors.Is(stopped.Err, session.ErrContainerStopped) {
		t.Errorf("told error: %v", stopped.Err)
	}
	again, err := w.Start(t.Context(), session.StartOptions{Folder: repo}, nil)
	if err != nil || again.Name != info.Name {
		t.Fatalf("resume: %+v, %v", again, err)
	}
	var out strings.Builder
	if err := w.Exec(t.Context(), info.Name, []string{"cat", "kept"}, session.Streams{Out: &out}); err != nil || out.String() != "kept\n" {
		t.Errorf("after resuming: %q, %v", out.String(), err)
	}
	docker(t, "rm", "-f", info.Container)
	w.await(info.Name, "end", func(i session.Info) bool { return i.State == session.Gone })
}

func docker(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput(); err != nil {
		t.Fatalf("docker %v: %v\n%s", args, err, out)
	}
}

func TestFailedStartLeavesNothing(t *testing.T) {
	t.Parallel()
	store, repo := newStore(t), newRepo(t)
	w := open(t, store)
	if err := os.WriteFile(filepath.Join(repo, "Dockerfile.sketch"), []byte("FROM "+baseImage()+"\nRUN echo about to fail && exit 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := w.Start(t.Context(), session.StartOptions{Folder: repo}, nil)
	build, ok := errors.AsType[*container.BuildError](err)
	if !ok || !strings.Contains(strings.Join(build.Lines, "\n"), "about to fail") {
		t.Errorf("got %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	if err := os.Remove(filepath.Join(repo, "Dockerfile.sketch")); err != nil {
		t.Fatal(err)
	}
	_, err = w.Start(cancelled, session.StartOptions{Folder: repo}, func(p session.Progress) {
		if p.Message == "Connecting" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled start: %v", err)
	}
	list, err := w.Sessions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if i.Folder == repo {
			t.Errorf("left behind: %+v", i)
		}
	}
	if names, err := store.Names(); err != nil || len(names) > 0 {
		t.Errorf("state left behind: %v, %v", names, err)
	}
}

func TestForwardsSurviveReattaching(t *testing.T) {
	t.Parallel()
	store, repo := newStore(t), newRepo(t)
	first := open(t, store)
	info := first.start(repo)
	port, asked := freePort(t), freePort(t)
	// By nohup, the server outlives the window that started it.
	script := fmt.Sprintf("nohup python3 -m http.server --bind 127.0.0.1 %d >/dev/null 2>&1 & nohup python3 -m http.server %d >/dev/null 2>&1 &", port, port+2)
	if err := first.Exec(t.Context(), info.Name, []string{"sh", "-c", script}, session.Streams{}); err != nil {
		t.Fatal(err)
	}
	first.await(info.Name, "forwards", func(i session.Info) bool { return forwarded(port)(i) && forwarded(port+2)(i) })
	if _, err := first.Forward(t.Context(), info.Name, port, asked); err != nil {
		t.Fatal(err)
	}
	if err := first.Unforward(t.Context(), info.Name, port+2); err != nil {
		t.Fatal(err)
	}
	before := first.await(info.Name, "changes by hand", func(i session.Info) bool {
		return find(i, port).HostPort == asked && find(i, port+2).Status == tunnel.Stopped
	})
	first.close()

	second := open(t, store)
	if again := second.start(repo); again.Name != info.Name {
		t.Fatalf("got another session: %+v", again)
	}
	after := second.await(info.Name, "the same forwards", func(i session.Info) bool {
		return find(i, port).Status == tunnel.Forwarded && find(i, port+2).Status == tunnel.Stopped
	})
	for _, p := range []uint16{port, port + 2} {
		b, a := find(before, p), find(after, p)
		if a.HostPort != b.HostPort || a.Opened != b.Opened {
			t.Errorf("port %d: before %+v, after %+v", p, b, a)
		}
	}
	if page := get(t, find(after, port).URL()+"/index.html"); page != "hello from inside\n" {
		t.Errorf("GET after reattaching answered %q", page)
	}
}
