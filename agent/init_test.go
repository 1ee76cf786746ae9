//go:build linux

package agent_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// As process 1 of a PID namespace, the agent starts itself as a child, reaps orphans, and ends by SIGTERM.
func TestProcessOne(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	data, err := w.config.Encode()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), runConfigEnv+"="+w.write("agent.json", string(data)))
	cmd.Stderr = w.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	w.connectConfig()
	// The orphan's parent becomes process 1, which reaps it; its number is of the namespace, so that only a shell inside can look.
	got := w.ssh("", "box", `mount -t proc proc /proc; sh -c 'sleep 0.2 & echo $!'; exit 3`)
	orphan := strings.TrimSpace(got.stdout)
	if got.status != 3 || orphan == "" {
		t.Fatalf("%+v\n%s", got, w.log)
	}
	w.eventually("the orphan is reaped", func() bool { return w.ssh("", "box", "test -d /proc/"+orphan).status == 1 })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end: %v\n%s", err, w.log)
	}
}
