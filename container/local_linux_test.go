package container

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/system"
	"golang.org/x/sys/unix"
)

// Only an engine of root's on this kernel has containers whose addresses can be dialled from here.
func TestIsLocal(t *testing.T) {
	t.Parallel()
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		t.Fatal(err)
	}
	here := unix.ByteSliceToString(uts.Release[:])
	socket := func(uid int) endpoint {
		path := filepath.Join(t.TempDir(), "s")
		ln, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		if err := os.Chown(path, uid, -1); err != nil {
			t.Fatalf("these tests are root's, as the engine is: %v", err)
		}
		return endpoint{network: "unix", address: path}
	}
	for name, tt := range map[string]struct {
		at   endpoint
		info system.Info
		want bool
	}{
		"root's":             {socket(0), system.Info{KernelVersion: here}, true},
		"a virtual machine":  {socket(0), system.Info{KernelVersion: "1.2.3"}, false},
		"Docker Desktop":     {socket(0), system.Info{KernelVersion: here, OperatingSystem: "Docker Desktop"}, false},
		"rootless Docker":    {socket(0), system.Info{KernelVersion: here, SecurityOptions: []string{"name=rootless"}}, false},
		"a user's, Podman":   {socket(1001), system.Info{KernelVersion: here}, false},
		"over the network":   {endpoint{network: "tcp", address: "127.0.0.1:1"}, system.Info{KernelVersion: here}, false},
		"a socket that went": {endpoint{network: "unix", address: "/nowhere"}, system.Info{KernelVersion: here}, false},
	} {
		if got := isLocal(tt.at, tt.info); got != tt.want {
			t.Errorf("%s: local is %v", name, got)
		}
	}
}
