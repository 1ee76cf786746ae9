package container

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestMountsThatAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link, socket := filepath.Join(dir, "link"), filepath.Join(dir, "s")
	if err := os.Symlink("/run", link); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	home := t.TempDir()
	e := &Engine{host: "unix://" + home + "/.docker/run/docker.sock"}
	files := []File{{Path: AgentPath}, {Path: "/workspaces/app"}}
	tests := []struct {
		name    string
		mount   Mount
		refused bool
	}{
		{"folder", Mount{Type: "bind", Source: dir, Target: "/data"}, false},
		{"below the workspace", Mount{Type: "volume", Source: "modules", Target: "/workspaces/app/node_modules"}, false},
		{"anonymous volume", Mount{Type: "volume", Target: "/cache"}, false},
		{"shared memory", Mount{Type: "tmpfs", Target: "/dev/shm"}, false},
		{"engine's socket", Mount{Type: "bind", Source: "/var/run/docker.sock", Target: "/s"}, true},
		{"its folder", Mount{Type: "bind", Source: "/run", Target: "/s"}, true},
		{"link to its folder", Mount{Type: "bind", Source: link, Target: "/s"}, true},
		{"socket in use", Mount{Type: "bind", Source: home, Target: "/s"}, true},
		{"another socket", Mount{Type: "bind", Source: socket, Target: "/s"}, true},
		{"everything", Mount{Type: "bind", Source: "/", Target: "/s"}, true},
		{"engine's data", Mount{Type: "bind", Source: "/var/lib/docker/volumes", Target: "/s"}, true},
		{"devices", Mount{Type: "bind", Source: "/dev/sda", Target: "/s"}, true},
		{"relative", Mount{Type: "bind", Source: "data", Target: "/s"}, true},
		{"unclean", Mount{Type: "bind", Source: dir + "/../x", Target: "/s"}, true},
		{"path for a volume", Mount{Type: "volume", Source: "/srv", Target: "/s"}, true},
		{"sourced tmpfs", Mount{Type: "tmpfs", Source: "x", Target: "/s"}, true},
		{"other type", Mount{Type: "npipe", Source: "x", Target: "/s"}, true},
		{"over the workspace", Mount{Type: "volume", Target: "/workspaces/app"}, true},
		{"over the agent", Mount{Type: "volume", Target: "/opt"}, true},
		{"over the root", Mount{Type: "volume", Target: "/"}, true},
		{"over proc", Mount{Type: "tmpfs", Target: "/proc/sys"}, true},
		{"relative target", Mount{Type: "tmpfs", Target: "x"}, true},
	}
	for _, tt := range tests {
		err := e.checkMounts(Spec{Mounts: []Mount{tt.mount}, Files: files})
		if (err != nil) != tt.refused {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
