package ports

import (
	"cmp"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// denySockDiag is a seccomp profile that refuses NETLINK_SOCK_DIAG and nothing else, as gVisor and hardened hosts do.
const denySockDiag = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [
	{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 4, "op": "SCMP_CMP_EQ"}]}]}`

// hideProcNet empties /proc/net for the process that follows, and for no other: ss, which that starts, has its own.
const hideProcNet = `mount -t tmpfs none /proc/$$/net && `

// inContainer runs one test of this package in a container of its own.
type inContainer struct {
	name, test, env string
	before          string // shell
	options         []string
}

// TestInContainers runs TestWholeMachine in real containers, in each of which another source is the best that there is, and TestOthers where other
// users' processes may be looked into and where they may not.
func TestInContainers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	profile := filepath.Join(dir, "seccomp.json")
	if err := os.WriteFile(profile, []byte(denySockDiag), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", filepath.Join(dir, "ports.test"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the test: %v\n%s", err, out)
	}
	denied := "--security-opt=seccomp=" + profile
	for _, tt := range []inContainer{
		{name: "default", test: "TestWholeMachine", env: sourceVariable + "=netlink"},
		{
			name: "least privilege", test: "TestWholeMachine", env: sourceVariable + "=netlink",
			options: []string{"--user=1000", "--cap-drop=ALL", "--security-opt=no-new-privileges"},
		},
		{name: "netlink denied", test: "TestWholeMachine", env: sourceVariable + "=proc", options: []string{"--user=1000", denied}},
		{
			name: "ss is all there is", test: "TestWholeMachine", env: sourceVariable + "=ss", before: hideProcNet,
			options: []string{"--cap-add=SYS_ADMIN", "--security-opt=apparmor=unconfined", denied},
		},
		{name: "others unseen", test: "TestOthers", env: othersVariable + "=unseen"},
		{name: "others seen", test: "TestOthers", env: othersVariable + "=seen", options: []string{"--cap-add=SYS_PTRACE"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, dir)
		})
	}
}

func (c inContainer) run(t *testing.T, dir string) {
	t.Helper()
	name := "sketch-ports-test-" + strings.ToLower(rand.Text()[:8])
	t.Cleanup(func() { _ = exec.CommandContext(context.Background(), "docker", "rm", "-f", name).Run() }) // usually it is gone
	args := append([]string{"run", "--rm", "--name=" + name, "--volume=" + dir + ":/test:ro", "--env=" + c.env}, c.options...)
	args = append(args, cmp.Or(os.Getenv("SKETCH_IDE_BASE_IMAGE"), "sketch-ide/debian:bookworm"),
		"sh", "-c", c.before+"exec /test/ports.test -test.run='^"+c.test+"$' -test.v -test.timeout=3m")
	out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+c.test) {
		t.Errorf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// othersVariable says whether TestOthers is to see into a process of another user.
const othersVariable = "PORTS_TEST_OTHERS"

// TestOthers watches a server of another user. Where its descriptors may be read it goes by its name, elsewhere by its user alone. Outside the
// containers of TestInContainers there is nothing to see.
func TestOthers(t *testing.T) {
	want := os.Getenv(othersVariable)
	if want == "" {
		return
	}
	child := startHelperAs(t, 1000)
	_, updates := startActive(t, roomy)
	addr, _ := child.listen("127.0.0.1:0")
	_, state := await(t, updates, Opened, addr)
	if named := func(u Update) bool { return openPort(u.Snapshot, portOf(addr)).PID == child.pid() }; want == "seen" && !named(Update{Snapshot: state}) {
		state = awaitUpdate(t, updates, named).Snapshot // the machine is busy, and the name comes later
	}
	got := openPort(state, portOf(addr))
	if got.UID != 1000 || (got.Process != "") != (want == "seen") || got.Command != "" && want != "seen" {
		t.Errorf("port of another user, who is %s: %+v", want, got)
	}
}

// startHelperAs starts a helper of another user.
func startHelperAs(t *testing.T, uid uint32) *helper {
	t.Helper()
	h := newHelper(t)
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	h.start()
	return h
}
