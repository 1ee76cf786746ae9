package session_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/devcontainer"
	"github.com/sketch-ide/sketch-ide/session"
)

// output runs a shell script inside and returns what it prints.
func (w *window) output(name, script string) string {
	w.t.Helper()
	var out strings.Builder
	if err := w.Exec(w.t.Context(), name, []string{"sh", "-c", "exec 2>&1; " + script}, session.Streams{Out: &out}); err != nil {
		w.t.Fatalf("%s: %v\n%s", script, err, out.String())
	}
	return strings.TrimSpace(out.String())
}

// TestWithoutNetwork: everything but a network works without one.
func TestWithoutNetwork(t *testing.T) {
	t.Parallel()
	store, repo := newStore(t), newRepo(t)
	w := open(t, store)
	w.Configure(session.Settings{BaseImage: baseImage(), Container: session.ContainerSettings{Network: container.NetworkNone}})
	info := w.start(repo)
	if got := w.output(info.Name, "ls /sys/class/net"); got != "lo" {
		t.Errorf("interfaces inside: %q", got)
	}
	if got := w.output(info.Name, "git log --format=%s -1 && git fetch sketch-host && git status --porcelain"); !strings.HasPrefix(got, "first") {
		t.Errorf("git inside: %q", got)
	}
	everyPart(t, w, info, []string{"python3", "-m", "http.server", "--bind", "127.0.0.1"})
	if got := w.output(info.Name, "curl -sS -m 5 http://1.1.1.1/ || true"); !strings.Contains(got, "curl: (7)") {
		t.Errorf("a request to the internet: %q", got)
	}
	c := inspect(t, info.Container)
	if c.SSH.IsValid() || c.Address.IsValid() {
		t.Errorf("the container has an address or a published port: %+v", c)
	}
}

// everyPart brings a commit out, forwards the port of a web server, whose last argument it is, stops the session and resumes it.
func everyPart(t *testing.T, w *window, info session.Info, server []string) {
	t.Helper()
	tip := w.commitInside(info.Name, "made", "inside\n")
	if b := w.awaitBranch(info.Name, "the commit", at(tip)); runGit(t, "-C", info.Folder, "rev-parse", b.Name) != tip {
		t.Errorf("the host's branch is not at the commit: %+v", b)
	}
	port := freePort(t)
	stop := w.serveBy(info.Name, append(slices.Clone(server), strconv.Itoa(int(port))))
	f := find(w.await(info.Name, "forward", forwarded(port)), port)
	if page := get(t, f.URL()+"/index.html"); page != "hello from inside\n" {
		t.Errorf("GET answered %q", page)
	}
	stop()
	if err := w.Stop(t.Context(), info.Name); err != nil {
		t.Fatal(err)
	}
	w.await(info.Name, "stop", func(i session.Info) bool { return i.State == session.Stopped })
	again, err := w.Start(t.Context(), session.StartOptions{Folder: info.Folder}, nil)
	if err != nil || again.Name != info.Name {
		t.Fatalf("resume: %+v, %v", again, err)
	}
	w.output(info.Name, "git status")
}

func inspect(t *testing.T, id string) container.Container {
	t.Helper()
	e, err := connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c, err := e.Inspect(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSettingsOfTheContainer(t *testing.T) {
	t.Setenv("SKETCH_TEST_SECRET", "from the host")
	repo, shared := newRepo(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(shared, "file"), []byte("shared"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := open(t, newStore(t))
	w.Configure(session.Settings{BaseImage: baseImage(), Container: session.ContainerSettings{
		Mounts: []devcontainer.Mount{
			{Type: "bind", Source: "${localEnv:SKETCH_TEST_NONE:" + shared + "}", Target: "/shared", ReadOnly: true},
			{Type: "tmpfs", Target: "${containerWorkspaceFolder}/node_modules"},
		},
		EnvForward: []string{"SKETCH_TEST_SECRET", "SKETCH_TEST_NONE"},
		CPUs:       1, Memory: 512 << 20, PIDs: 200,
	}})
	info := w.start(repo)
	got := w.output(info.Name, `cat /shared/file; echo; touch /shared/x 2>/dev/null || echo read-only; echo "$SKETCH_TEST_SECRET ${SKETCH_TEST_NONE-unset}"; stat -f -c %T node_modules`)
	if want := "shared\nread-only\nfrom the host unset\ntmpfs"; got != want {
		t.Errorf("inside: %q, want %q", got, want)
	}
	limits := dockerOutput(t, "inspect", "-f", "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.Config.Env}}", info.Container)
	if !strings.HasPrefix(limits, "1000000000 536870912 200 ") || strings.Contains(limits, "from the host") {
		t.Errorf("the engine has %s", limits)
	}
}

func dockerOutput(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", args...).Output()
	if err != nil {
		t.Fatalf("docker %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

func TestSettingsThatAreWrongStartNothing(t *testing.T) {
	t.Parallel()
	repo, store := newRepo(t), newStore(t)
	w := open(t, store)
	wrong := errors.New("wrong")
	for _, s := range []session.ContainerSettings{
		{Err: wrong},
		{Mounts: []devcontainer.Mount{{Type: "bind", Source: "/var/run/docker.sock", Target: "/var/run/docker.sock"}}},
		{Mounts: []devcontainer.Mount{{Type: "bind", Source: "/", Target: "/host"}}},
		{Mounts: []devcontainer.Mount{{Type: "bind", Source: filepath.Join(repo, "none"), Target: "/none"}}},
		{Mounts: []devcontainer.Mount{{Type: "volume", Target: "/workspaces"}}},
	} {
		w.Configure(session.Settings{BaseImage: baseImage(), Container: s})
		_, err := w.Start(t.Context(), session.StartOptions{Folder: repo}, nil)
		if _, refused := errors.AsType[*container.MountError](err); !refused && !errors.Is(err, wrong) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if names, err := store.Names(); err != nil || len(names) > 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}
