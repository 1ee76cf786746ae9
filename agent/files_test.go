//go:build linux

package agent_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCopyFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := make([]byte, 3<<20)
	rand.Read(data)
	w.write("up", string(data))
	same := func(path string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s is not what was sent: %d bytes, %v", path, len(got), err)
		}
	}
	run := func(name, input string, args ...string) {
		t.Helper()
		if got := w.finish(w.tool(name, args...), input); got.status != 0 {
			t.Fatalf("%s %q: %+v", name, args, got)
		}
	}
	run("scp", "", "-q", "up", "box:scp")
	same(filepath.Join(w.workspace, "scp"))
	run("scp", "", "-q", "box:scp", "down")
	same(w.path("down"))
	run("scp", "", "-q", "-O", "up", "box:"+w.path("old"))
	same(w.path("old"))

	run("sftp", "put up there\nrename there here\nget here back\n", "-q", "-b", "-", "box")
	same(w.path("back"))
	same(filepath.Join(w.workspace, "here"))
	if got := w.finish(w.tool("sftp", "-q", "box"), "pwd\n"); !strings.Contains(got.stdout, w.workspace) {
		t.Errorf("sftp starts elsewhere: %+v", got)
	}
	if got := w.ssh("", "-s", "box", "nothing"); got.status == 0 {
		t.Errorf("an unknown subsystem was started: %+v", got)
	}
}
