package ports

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// denySockDiag is a seccomp profile that refuses NETLINK_SOCK_DIAG and nothing else, as gVisor and hardened hosts do.
const denySockDiag = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [
	{"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 4, "op": "SCMP_CMP_EQ"}]}]}`

// hideProcNet empties /proc/net for the process that follows, and for no other: ss, which that starts, has its own.
const hideProcNet = `mount -t tmpfs none /proc/$$/net && `

// TestSourcesInContainers runs TestWholeMachine in real containers, in each of which another source is the best that there is.
func TestSourcesInContainers(t *testing.T) {
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
	for _, tt := range []struct {
		name, source, before string
		options              []string
	}{
		{"default", "netlink", "", nil},
		{"least privilege", "netlink", "", []string{"--user=1000", "--cap-drop=ALL", "--security-opt=no-new-privileges"}},
		{"netlink denied", "proc", "", []string{"--user=1000", "--security-opt=seccomp=" + profile}},
		{"ss is all there is", "ss", hideProcNet, []string{"--cap-add=SYS_ADMIN", "--security-opt=apparmor=unconfined", "--security-opt=seccomp=" + profile}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			name := "sketch-ports-test-" + strings.ToLower(filepath.Base(filepath.Dir(dir))) + "-" + strings.ReplaceAll(tt.name, " ", "-")
			t.Cleanup(func() { _ = exec.CommandContext(context.Background(), "docker", "rm", "-f", name).Run() }) // usually it is gone
			args := append([]string{"run", "--rm", "--name=" + name, "--volume=" + dir + ":/test:ro", "--env=" + sourceVariable + "=" + tt.source}, tt.options...)
			args = append(args, cmp.Or(os.Getenv("SKETCH_IDE_BASE_IMAGE"), "sketch-ide/debian:bookworm"),
				"sh", "-c", tt.before+"exec /test/ports.test -test.run='^TestWholeMachine$' -test.v -test.timeout=2m")
			out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: TestWholeMachine") {
				t.Errorf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
			}
		})
	}
}
