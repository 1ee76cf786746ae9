package session_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/session"
)

// TestForeignArchitecture has a session in an image for another processor, with the agent for that, where the kernel runs such programs by qemu. Where it does
// not, that is what people are told.
func TestForeignArchitecture(t *testing.T) {
	const image = "sketch-ide/arm64:bookworm" // scripts/arm64-image.sh makes it
	agent := filepath.Join(t.TempDir(), "sketch-ide")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", agent, "github.com/sketch-ide/sketch-ide/cmd/sketch-ide")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=arm64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the agent: %v\n%s", err, out)
	}
	t.Setenv("SKETCH_IDE_AGENT", agent)
	w := open(t, newStore(t))
	w.Configure(session.Settings{BaseImage: image})
	info, err := w.Start(t.Context(), session.StartOptions{Folder: newRepo(t)}, func(p session.Progress) { t.Log(p.Message) })
	if _, emulated := os.Stat("/proc/sys/fs/binfmt_misc/qemu-aarch64"); emulated != nil && runtime.GOARCH != "arm64" {
		if wrong, ok := errors.AsType[*container.WrongArchError](err); !ok || wrong.Image != "arm64" {
			t.Errorf("without emulation: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeContainer(t, info.Container) })
	if got := w.output(info.Name, "uname -m; git log --format=%s -1"); got != "aarch64\nfirst" {
		t.Errorf("inside: %q", got)
	}
	everyPart(t, w, info, []string{"httpd", "-f", "-p"})
	// The agent for this processor would not run there, and is refused before anything is made.
	t.Setenv("SKETCH_IDE_AGENT", "/proc/self/exe")
	_, err = w.Start(t.Context(), session.StartOptions{Folder: newRepo(t)}, nil)
	if err == nil || !strings.Contains(err.Error(), "arm64") {
		t.Errorf("with another agent: %v", err)
	}
}
