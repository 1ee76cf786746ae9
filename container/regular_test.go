package container

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// soon fails the test where f hangs, as opening a named pipe would.
func soon(t *testing.T, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	// Ends with f, which must not hang; waited for by the select below.
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		t.Fatal("it hangs")
		return nil
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFilesOutsideAreNotRead: a repository that somebody cloned names files of its own, and nothing else.
func TestFilesOutsideAreNotRead(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside")
	writeFile(t, filepath.Join(outside, "Dockerfile"), "FROM secret\n")
	link := func(target, name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
			must(t, os.Symlink(target, filepath.Join(dir, name)))
		}
	}
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string)
		file    string // that the error is about
		says    string
	}{
		{"file outside", link(outside+"/Dockerfile", "Dockerfile.sketch"), "Dockerfile.sketch", "the link Dockerfile.sketch leads to " + outside},
		{"relative link outside", link("../../outside/Dockerfile", "Dockerfile.sketch"), "Dockerfile.sketch", "cannot be followed within the repository"},
		{"device", link("/dev/stdin", "Dockerfile.sketch"), "Dockerfile.sketch", "leads to /dev/stdin"},
		{"link with escapes", link("/x\x1b[2Jy", "Dockerfile.sketch"), "Dockerfile.sketch", "leads to /xy,"},
		{"broken link", link("nowhere", "Dockerfile.sketch"), "Dockerfile.sketch", "leads to nowhere"},
		{"circle", link("Dockerfile.sketch", "Dockerfile.sketch"), "Dockerfile.sketch", "leads to Dockerfile.sketch"},
		{"folder outside", link(outside, ".sketch"), ".sketch/Dockerfile", "the link .sketch leads to " + outside},
		{"file in the folder", link(outside+"/Dockerfile", ".sketch/Dockerfile"), ".sketch/Dockerfile", "the link .sketch/Dockerfile leads to " + outside},
		{"into git", func(t *testing.T, dir string) {
			t.Helper()
			writeFile(t, filepath.Join(dir, "sub/.git/config"), "FROM x")
			link("sub/.git/config", "Dockerfile.sketch")(t, dir)
		}, "Dockerfile.sketch", "nothing is read from .git"},
		{"named pipe", func(t *testing.T, dir string) {
			t.Helper()
			must(t, syscall.Mkfifo(filepath.Join(dir, "Dockerfile.sketch"), 0o600))
		}, "Dockerfile.sketch", "it is a named pipe"},
		{"link to a named pipe", func(t *testing.T, dir string) {
			t.Helper()
			must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
			link("pipe", "Dockerfile.sketch")(t, dir)
		}, "Dockerfile.sketch", "it is a named pipe"},
		{"folder", func(t *testing.T, dir string) {
			t.Helper()
			must(t, os.Mkdir(filepath.Join(dir, "Dockerfile.sketch"), 0o755))
		}, "Dockerfile.sketch", "it is a folder"},
		{"folder that is a file", func(t *testing.T, dir string) {
			t.Helper()
			writeFile(t, filepath.Join(dir, ".sketch"), "")
		}, ".sketch/Dockerfile", "not a directory"},
		{"too big", func(t *testing.T, dir string) {
			t.Helper()
			writeFile(t, filepath.Join(dir, "Dockerfile.sketch"), strings.Repeat("#", maxDockerfile+1))
		}, "Dockerfile.sketch", "above 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := repository(t, nil)
			tt.prepare(t, dir)
			err := soon(t, func() error { _, err := openSource(t, dir); return err })
			failure, ok := errors.AsType[*BuildError](err)
			if !ok || failure.Dockerfile != tt.file || !strings.Contains(failure.Reason, tt.says) || failure.Hint == "" {
				t.Errorf("error is %+v", err)
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("error says %q", err)
			}
		})
	}
}

func openSource(t *testing.T, dir string) (source, error) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return findSource(root, ImageSpec{Dir: dir, BaseImage: "base"})
}

func TestLinksWithinTheRepository(t *testing.T) {
	t.Parallel()
	dir := repository(t, map[string]string{"docker/Dockerfile": "FROM here\nCOPY . /\n", "docker/file": "x"})
	must(t, os.Symlink("docker", filepath.Join(dir, ".sketch")))
	src, err := openSource(t, dir)
	must(t, err)
	context, err := readBuildContext(src, 0)
	must(t, err)
	if diff := cmp.Diff([]string{"Dockerfile", "file"}, paths(context)); diff != "" {
		t.Error(diff)
	}
}

func paths(c buildContext) []string {
	var list []string
	for _, entry := range c.entries {
		list = append(list, entry.path)
	}
	return list
}

// TestContextLeavesGitOut: credentials of remotes, and all that was ever committed, whatever the ignore file asks for.
func TestContextLeavesGitOut(t *testing.T) {
	t.Parallel()
	dir := repository(t, map[string]string{
		"Dockerfile.sketch": "FROM here\nCOPY . /\n",
		".dockerignore":     "!.git\n!**/.git\n!.git/config\n!vendor/dep/.git/HEAD\nignored\n!ignored/back\n",
		".git/config":       "secret", "vendor/dep/.git/HEAD": "secret", "vendor/dep/file": "",
		"module/.git": "gitdir: ../.git/modules/module", "module/file": "", "other/.GIT/config": "secret",
		".github/workflow": "", ".gitignore": "", "x.git/file": "", "ignored/file": "", "ignored/back/file": "",
	})
	src, err := openSource(t, dir)
	must(t, err)
	context, err := readBuildContext(src, 0)
	must(t, err)
	want := []string{
		".dockerignore", ".github", ".github/workflow", ".gitignore", "Dockerfile.sketch", "ignored/back", "ignored/back/file", "module", "module/file",
		"other", "vendor", "vendor/dep", "vendor/dep/file", "x.git", "x.git/file",
	}
	if diff := cmp.Diff(want, paths(context)); diff != "" {
		t.Error(diff)
	}
}

func TestIgnoreFileOutside(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{"file": "/etc/passwd", "pipe": "fifo"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := repository(t, map[string]string{"Dockerfile.sketch": "FROM here\nCOPY . /\n"})
			must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
			must(t, os.Symlink(target, filepath.Join(dir, ".dockerignore")))
			src, err := openSource(t, dir)
			must(t, err)
			err = soon(t, func() error { _, err := readBuildContext(src, 0); return err })
			if failure, ok := errors.AsType[*BuildError](err); !ok || !strings.Contains(failure.Reason, "read .dockerignore: ") {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// TestContextIsReadWithin: what was a file as the context was listed may be a link as it is sent.
func TestContextIsReadWithin(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(path string) error{
		"link": func(path string) error { return os.Symlink("/etc/passwd", path) },
		"pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := repository(t, map[string]string{"Dockerfile.sketch": "FROM here\nCOPY . /\n", "file": "x"})
			src, err := openSource(t, dir)
			must(t, err)
			context, err := readBuildContext(src, 0)
			must(t, err)
			must(t, os.Remove(filepath.Join(dir, "file")))
			must(t, replace(filepath.Join(dir, "file")))
			var sent strings.Builder
			if err := soon(t, func() error { return context.writeTo(&sent) }); err == nil || strings.Contains(sent.String(), "root:") {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// TestDockerfileIsSentAsItWasChecked: not as it is by then.
func TestDockerfileIsSentAsItWasChecked(t *testing.T) {
	t.Parallel()
	dir := repository(t, map[string]string{"Dockerfile.sketch": "FROM here\nCOPY . /\n"})
	src, err := openSource(t, dir)
	must(t, err)
	context, err := readBuildContext(src, 0)
	must(t, err)
	writeFile(t, filepath.Join(dir, "Dockerfile.sketch"), "FROM there\nADD http://127.0.0.1/ /\n")
	var sent strings.Builder
	must(t, context.writeTo(&sent))
	if text := sent.String(); !strings.Contains(text, "FROM here") || strings.Contains(text, "127.0.0.1") {
		t.Error("the new content was sent")
	}
}

func TestReadBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "file"), "content")
	must(t, os.Symlink(filepath.Join(dir, "file"), filepath.Join(dir, "link")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	if data, err := readBounded(filepath.Join(dir, "link"), 7); err != nil || string(data) != "content" {
		t.Errorf("link: %q, %v", data, err)
	}
	_, err := readBounded(filepath.Join(dir, "file"), 6)
	wantError(t, err, ErrTooBig)
	_, err = readBounded(filepath.Join(dir, "none"), 6)
	wantError(t, err, fs.ErrNotExist)
	for _, name := range []string{"pipe", "."} {
		err := soon(t, func() error { _, err := readBounded(filepath.Join(dir, name), 7); return err })
		if _, ok := errors.AsType[*notRegularError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
