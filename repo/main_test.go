package repo

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

const socketVariable = "SKETCH_TEST_SOCKET"

// TestMain is also git's remote helper: the tests put a link to this binary, named git-remote-sketch, in the PATH of "inside".
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "git-remote-sketch" {
		if err := remoteHelper(os.Getenv(socketVariable)); err != nil {
			fmt.Fprintln(os.Stderr, "git-remote-sketch:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	home, err := os.MkdirTemp("", "repo-test-home-*")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{"HOME": home, "GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1"} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := os.RemoveAll(home); err != nil {
			panic(err)
		}
		os.Exit(code)
	}))
}

// remoteHelper is gitremote-helpers(7) with the one capability "connect".
func remoteHelper(socket string) error {
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		switch strings.TrimSpace(line) {
		case "capabilities":
			fmt.Print("connect\n\n")
		case "connect git-upload-pack":
			fmt.Print("\n")
			conn, err := net.Dial("unix", socket)
			if err != nil {
				return err
			}
			go func() { _, _ = io.Copy(conn, in) }() // ends with this process
			_, err = io.Copy(os.Stdout, conn)
			return err
		default:
			return fmt.Errorf("unknown command %q", line)
		}
	}
}

// inside is a place that stands for a container: a folder, a PATH with the remote helper, and the host behind a socket.
type inside struct {
	t   *testing.T
	dir string
	env []string
}

func newInside(t *testing.T, host *Repo) *inside {
	t.Helper()
	dir, err := os.MkdirTemp("", "in*") // short, for the socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "git-remote-sketch")); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	serve(t, host, socket)
	return &inside{t: t, dir: dir, env: append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), socketVariable+"="+socket)}
}

// serve answers each connection to socket with host's upload-pack, until the test ends.
func serve(t *testing.T, host *Repo, socket string) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	// Ends when the listener is closed by the cleanup below, which waits for it.
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			// Ends when the client is served, or by cancel; waited for in the same place.
			all.Go(func() {
				if err := host.ServeUploadPack(ctx, conn); err != nil {
					t.Logf("serve: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
	})
}

// Run is [Runner].
func (in *inside) Run(ctx context.Context, script string, stdin io.Reader, stderr func(string)) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	lines := Lines(stderr)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stderr = in.dir, in.env, stdin, lines
	defer lines.Flush()
	return cmd.Run()
}

// git runs git in dir, a folder inside, and returns its output.
func (in *inside) git(dir string, args ...string) string {
	in.t.Helper()
	out, err := in.tryGit(dir, args...)
	if err != nil {
		in.t.Fatalf("git %q inside: %v\n%s", args, err, out)
	}
	return out
}

func (in *inside) tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, in.env
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (in *inside) checkout(host *Repo, workspace, slug string) {
	in.t.Helper()
	if err := host.Checkout(in.t.Context(), in, workspace, slug, func(string) {}); err != nil {
		in.t.Fatal(err)
	}
}

// hostGit runs git on the host's side as its user would.
func hostGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// newHost makes a repository with three commits on main, a branch and a tag, in a folder with this name.
func newHost(t *testing.T, name string, initArgs ...string) string {
	t.Helper()
	dir := filepath.Join(realTemp(t), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	hostGit(t, dir, append([]string{"init", "-q"}, initArgs...)...)
	for i := range 3 {
		commit(t, dir, fmt.Sprintf("file%d.txt", i), fmt.Sprintf("content %d\n", i))
	}
	hostGit(t, dir, "branch", "other", "HEAD~1")
	hostGit(t, dir, "tag", "-a", "-m", "first", "v1", "HEAD~2")
	return dir
}

func commit(t *testing.T, dir, file, content string) string {
	t.Helper()
	writeFile(t, filepath.Join(dir, file), content, 0o644)
	hostGit(t, dir, "add", "--", file)
	hostGit(t, dir, "commit", "-q", "-m", "change "+file)
	return hostGit(t, dir, "rev-parse", "HEAD")
}

func writeFile(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func realTemp(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustOpen(t *testing.T, dir string) *Repo {
	t.Helper()
	r, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	r.Scratch = t.TempDir()
	return r
}

// fingerprint is everything under dir that a write could change: names, modes, times of modification and contents.
func fingerprint(t *testing.T, dir string) map[string]string {
	t.Helper()
	prints := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var sum [sha256.Size]byte
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sum = sha256.Sum256(content)
		}
		prints[path] = fmt.Sprintf("%v %v %x", info.Mode(), info.ModTime(), sum)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return prints
}

// Output is [Source].
func (in *inside) Output(ctx context.Context, script string, stdin io.Reader, stdout io.Writer, stderr func(string)) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	lines := Lines(stderr)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = in.dir, in.env, stdin, stdout, lines
	defer lines.Flush()
	return cmd.Run()
}
