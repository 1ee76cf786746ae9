package container

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestContainerLife(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	c := session(t, e, plainImage(t, e), func(s *Spec) {
		s.Labels = map[string]string{LabelFolder: "/some/folder", LabelKind: "nonsense"}
		s.Env = map[string]string{"NAME": "value"}
	})
	if c.State != StateRunning || c.Session() != c.Name || c.Folder() != "/some/folder" || c.Labels[LabelKind] != KindSession {
		t.Errorf("container is %+v", c)
	}
	if got := inside(t, e, c.ID, "hostname; echo $NAME; id -un; tr '\\0' ' ' </proc/1/cmdline"); got != c.Name+"\nvalue\nroot\n/sbin/docker-init -- "+AgentPath+" agent" {
		t.Errorf("inside: %q", got)
	}
	if _, err := e.Create(t.Context(), Spec{Name: c.Name, Image: plainImage(t, e)}); !errors.Is(err, ErrNameConflict) {
		t.Errorf("second container of that name: %v", err)
	}
	if _, err := e.Start(t.Context(), c.ID); err != nil {
		t.Errorf("start a running container: %v", err)
	}
	if logs, err := e.Logs(t.Context(), c.ID, 10); err != nil || string(logs) != "out\nerr\n" && string(logs) != "err\nout\n" {
		t.Errorf("logs are %q, %v", logs, err)
	}
	if err := e.Stop(t.Context(), c.ID, 5*time.Second); err != nil {
		t.Errorf("stop: %v", err)
	}
	c, err := e.Inspect(t.Context(), c.Name)
	if err != nil || c.State != StateExited || c.SSH.IsValid() || c.Address.IsValid() {
		t.Errorf("after stop: %+v, %v", c, err)
	}
	wantError(t, e.Kill(t.Context(), c.ID), ErrNotRunning)
	if err := e.Stop(t.Context(), c.ID, 0); err != nil {
		t.Errorf("stop a stopped container: %v", err)
	}
	for range 2 {
		if err := e.Remove(t.Context(), c.ID); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	_, err = e.Inspect(t.Context(), c.ID)
	wantError(t, err, ErrNotFound)
	wantError(t, e.Stop(t.Context(), c.ID, 0), ErrNotFound)
}

func TestPausedContainerEnds(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	img := plainImage(t, e)
	for name, end := range map[string]func(id string) error{
		"stop":   func(id string) error { return e.Stop(t.Context(), id, 5*time.Second) },
		"kill":   func(id string) error { return e.Kill(t.Context(), id) },
		"remove": func(id string) error { return e.Remove(t.Context(), id) },
	} {
		c := session(t, e, img, nil)
		if err := e.Pause(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := e.ExecConn(t.Context(), c.ID, []string{"true"}); !errors.Is(err, ErrNotRunning) {
			t.Errorf("exec in a paused container: %v", err)
		}
		if err := end(c.ID); err != nil {
			t.Errorf("%s a paused container: %v", name, err)
		}
	}
}

func TestHardening(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	c := session(t, e, plainImage(t, e), func(s *Spec) { s.Limits = Limits{Memory: 512 << 20, CPUs: 1.5} })
	found, err := e.api.ContainerInspect(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	h := found.HostConfig
	if h.Privileged || len(h.Binds) != 0 || len(h.Mounts) != 0 || h.NetworkMode.IsHost() || len(h.SecurityOpt) != 0 {
		t.Errorf("host config is %+v", h)
	}
	if *h.PidsLimit != 4096 || h.Memory != 512<<20 || h.MemorySwap != 512<<20 || h.CPUShares != 512 || h.NanoCPUs != 1.5e9 || h.LogConfig.Config["max-size"] == "" || !h.RestartPolicy.IsNone() {
		t.Errorf("limits are %+v, %+v, %+v", h.Resources, h.LogConfig, h.RestartPolicy)
	}
	if len(found.NetworkSettings.Ports) != 1 || !c.SSH.Addr().IsLoopback() {
		t.Errorf("published is %v", found.NetworkSettings.Ports)
	}

	// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE, AUDIT_WRITE, SETFCAP: bits of linux/capability.h
	const bits = 1<<0 | 1<<1 | 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<10 | 1<<29 | 1<<31
	got := inside(t, e, c.ID, `sed -n 's/^CapBnd:\t*//p; s/^Seccomp:\t*//p' /proc/1/status; cat /proc/sys/net/ipv6/conf/lo/disable_ipv6; ls /var/run/docker.sock 2>/dev/null; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true`)
	if want := strings.Join([]string{"00000000" + strconv.FormatInt(bits, 16), "2", "0", "4096"}, "\n"); got != want {
		t.Errorf("inside: %s", cmp.Diff(want, got))
	}
}

func TestIPv6LoopbackInside(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	c := session(t, e, plainImage(t, e), nil)
	got := inside(t, e, c.ID, `python3 -c '
import socket
s = socket.create_server(("::1", 0), family=socket.AF_INET6)
socket.create_connection(s.getsockname()[:2]).close()
print("ok")'`)
	if got != "ok" {
		t.Errorf("inside: %s", got)
	}
}

func TestPublishedOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	c := session(t, e, plainImage(t, e), func(s *Spec) {
		s.SSHPort = 2345
		s.Files[0].Content = []byte("#!/bin/sh\nexec python3 -c 'import socket\ns = socket.create_server((\"\", 2345))\nwhile True: s.accept()[0].sendall(b\"hello\")'\n")
	})
	hello := func(address string) bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		defer conn.Close()
		conn.SetReadDeadline(time.Now().Add(time.Second))
		buf := make([]byte, 5)
		_, err = io.ReadFull(conn, buf)
		return err == nil && string(buf) == "hello"
	}
	deadline := time.Now().Add(time.Minute)
	for !hello(c.SSH.String()) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing answers at %v", c.SSH)
		}
	}
	if e.Local() && !hello(net.JoinHostPort(c.Address.String(), "2345")) {
		t.Error("engine is local, and the container's own address does not answer")
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip := a.(*net.IPNet).IP
		if !ip.IsLoopback() && ip.To4() != nil && hello(net.JoinHostPort(ip.String(), strconv.Itoa(int(c.SSH.Port())))) {
			t.Errorf("published on %v too", ip)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	c := session(t, e, plainImage(t, e), func(s *Spec) {
		s.Files = append(s.Files,
			File{Path: "/opt/sketch-ide/etc/agent.json", Mode: 0o400, UID: 1234, GID: 5678, Content: []byte("{}")},
			File{Path: "/opt/sketch-ide/run", Mode: fs.ModeDir | 0o700, UID: 1234, GID: 5678},
			File{Path: "/usr/local/bin/git-remote-sketch", Target: AgentPath},
			File{Path: "/tmp/note", Mode: 0o644},
		)
	})
	got := inside(t, e, c.ID, "stat -c '%a %u %g %F' /opt/sketch-ide /opt/sketch-ide/bin/sketch-ide /opt/sketch-ide/etc/agent.json /opt/sketch-ide/run /tmp; readlink /usr/local/bin/git-remote-sketch")
	want := `755 0 0 directory
755 0 0 regular file
400 1234 5678 regular file
700 1234 5678 directory
1777 0 0 directory
` + AgentPath
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	data, err := e.ReadFile(t.Context(), c.ID, "/opt/sketch-ide/etc/agent.json", 2)
	if err != nil || string(data) != "{}" {
		t.Errorf("ReadFile: %q, %v", data, err)
	}
	_, err = e.ReadFile(t.Context(), c.ID, "/opt/sketch-ide/etc/agent.json", 1)
	wantError(t, err, ErrTooBig)
	_, err = e.ReadFile(t.Context(), c.ID, "/no/such", 1)
	wantError(t, err, ErrNotFound)
	if _, err := e.ReadFile(t.Context(), c.ID, "/tmp", 1); err == nil {
		t.Error("a directory was read as a file")
	}
}

func TestCreateLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	spec := Spec{Name: "sketch-test-bad-" + e.version, Image: plainImage(t, e), Files: []File{{Path: "relative"}}}
	if _, err := e.Create(t.Context(), spec); err == nil {
		t.Fatal("a relative path was accepted")
	}
	_, err := e.Inspect(t.Context(), spec.Name)
	wantError(t, err, ErrNotFound)
	spec.Image.ID = "sha256:" + strings.Repeat("0", 64)
	_, err = e.Create(t.Context(), spec)
	wantError(t, err, ErrNotFound)
}

func TestExecConn(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	c := session(t, e, plainImage(t, e), nil)
	conn, err := e.ExecConn(t.Context(), c.ID, []string{"sh", "-c", "echo noise >&2; cat; echo end"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 1)
	conn.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := conn.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read after the deadline: %v", err)
	}
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	sent := strings.Repeat("0123456789abcdef", 1<<16)
	done := make(chan error, 1)
	// Ends with the connection; waited for below.
	go func() {
		_, err := io.WriteString(conn, sent)
		done <- errors.Join(err, conn.(interface{ CloseWrite() error }).CloseWrite())
	}()
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != sent+"end\n" {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(sent), err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestListAndPrune(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	img, _ := ensure(t, e, ImageSpec{Dir: repository(t, nil), BaseImage: baseImage()})
	c := session(t, e, img, nil)
	half, err := e.Create(t.Context(), Spec{Name: "sketch-test-half-" + e.version, Image: img})
	if err != nil {
		t.Fatal(err)
	}
	// What somebody builds upon an image of ours inherits its labels, and is not ours.
	theirs := "sketch-ide-test/theirs:" + e.version
	if _, err := e.build(t.Context(), buildSpec{
		dockerfile: "Dockerfile", tag: theirs, write: singleFile([]byte("FROM " + img.Ref + "\nENV THEIRS=1\n")),
	}, newReporter(nil)); err != nil {
		t.Fatal(err)
	}

	list, err := e.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]State{}
	for _, found := range list {
		if found.Labels[LabelVersion] == e.version {
			states[found.ID] = found.State
		}
	}
	if diff := cmp.Diff(map[string]State{c.ID: StateRunning, half.ID: StateCreated}, states); diff != "" {
		t.Error(diff)
	}
	usage, err := e.DiskUsage(t.Context())
	if _, ok := usage.Images[img.ID]; err != nil || !ok || usage.Containers[c.ID] <= 0 {
		t.Errorf("disk usage is %+v, %v", usage, err)
	}

	wantError(t, e.RemoveImage(t.Context(), img.Ref), ErrInUse)
	wantError(t, e.RemoveImage(t.Context(), theirs), ErrNotFound)
	wantError(t, e.RemoveImage(t.Context(), baseImage()), ErrNotFound)
	for _, id := range []string{c.ID, half.ID} {
		if err := e.Remove(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.RemoveImage(t.Context(), img.Ref); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{theirs, baseImage()} {
		if _, err := e.api.ImageInspect(t.Context(), ref); err != nil {
			t.Errorf("%s is gone: %v", ref, err)
		}
	}
	_, err = e.api.ImageInspect(t.Context(), img.Ref)
	if !errors.Is(kindOf(err), ErrNotFound) {
		t.Errorf("%s is still there: %v", img.Ref, err)
	}
	if _, err := e.Probes(t.Context(), 0); err != nil {
		t.Errorf("list probes: %v", err)
	}
}
