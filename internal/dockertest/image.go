package dockertest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// BaseImage is the image that the tests' sessions are made from; the first engine has it.
func BaseImage() string {
	return cmp.Or(os.Getenv("SKETCH_IDE_BASE_IMAGE"), "sketch-ide/debian:bookworm")
}

// Busybox makes an image such as Alpine's on the first engine, and removes it with the test: BusyBox as its only shell, in a folder of links, git, and no
// package manager.
func Busybox(t testing.TB) string {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("busybox-static is needed (make test installs it): %v", err)
	}
	// Git with the libraries that it is linked with, wherever links lead.
	git := docker(t, nil, "run", "--rm", "--network", "none", BaseImage(), "sh", "-c",
		`tar -C / -ch $(command -v git) $(ldd $(command -v git) | grep -o '/[^ ]*') 2>/dev/null`)
	root := rootFS{t: t}
	root.copyAll(git)
	root.file("bin/busybox", 0o755, read(t, busybox))
	for applet := range strings.FieldsSeq(run(t, busybox, "--list")) {
		if applet != "busybox" {
			root.link("bin/"+applet, "/bin/busybox")
		}
	}
	return root.image("busybox", "linux/"+runtime.GOARCH)
}

// rootFS is an image's files.
type rootFS struct {
	t   testing.TB
	buf bytes.Buffer
	out *tar.Writer
}

func (r *rootFS) add(h *tar.Header, content io.Reader) {
	r.t.Helper()
	if r.out == nil {
		r.out = tar.NewWriter(&r.buf)
	}
	if err := r.out.WriteHeader(h); err != nil {
		r.t.Fatal(err)
	}
	if _, err := io.Copy(r.out, content); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rootFS) copyAll(archive string) {
	r.t.Helper()
	in := tar.NewReader(strings.NewReader(archive))
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			r.t.Fatal(err)
		}
		r.add(h, in)
	}
}

func (r *rootFS) file(name string, mode int64, content string) {
	r.add(&tar.Header{Name: name, Mode: mode, Size: int64(len(content))}, strings.NewReader(content))
}

func (r *rootFS) link(name, target string) {
	r.add(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, strings.NewReader(""))
}

// image imports the files, with what every system has.
func (r *rootFS) image(name, platform string) string {
	r.t.Helper()
	for dir, mode := range map[string]int64{"tmp/": 0o1777, "root/": 0o700, "etc/": 0o755} {
		r.add(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: mode}, strings.NewReader(""))
	}
	r.file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\n")
	r.file("etc/group", 0o644, "root:x:0:\n")
	if err := r.out.Close(); err != nil {
		r.t.Fatal(err)
	}
	ref := "sketch-ide-test/" + name + ":" + strings.ToLower(rand.Text())
	r.t.Cleanup(func() {
		if out, err := exec.CommandContext(context.Background(), "docker", "rmi", "-f", ref).CombinedOutput(); err != nil {
			r.t.Errorf("remove %s: %v\n%s", ref, err, out)
		}
	})
	docker(r.t, r.buf.Bytes(), "import", "--platform", platform, "--change", `CMD ["/bin/sh"]`, "-", ref)
	return ref
}

func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t testing.TB, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func docker(t testing.TB, in []byte, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	var out, wrong bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &wrong
	if err := cmd.Run(); err != nil {
		t.Fatalf("docker %v: %v\n%s", args, errors.Join(err, t.Context().Err()), wrong.String())
	}
	return out.String()
}
