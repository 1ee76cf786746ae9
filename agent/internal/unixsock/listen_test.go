package unixsock

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestListen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(shortDir(t), "s")
	ln, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.ModeSocket|socketMode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if _, err := Listen(t.Context(), path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a live socket gives %v", err)
	}
	ln.Close()
	ln.Close()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close: %v", err)
	}
}

func TestListenReplacesStaleSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(shortDir(t), "s")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	ln, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestListenKeepsWhatIsNoSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(shortDir(t), "file")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), path); !errors.Is(err, ErrNotSocket) {
		t.Errorf("got %v", err)
	}
	if data, err := os.ReadFile(path); string(data) != "precious" {
		t.Errorf("the file has %q, %v", data, err)
	}
}

// A successor that took the path over keeps it when the predecessor closes.
func TestCloseKeepsSuccessor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(shortDir(t), "s")
	first, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	second, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	first.Close()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "us")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
