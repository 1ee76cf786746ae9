//go:build linux

package agent_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// git runs git in a folder, away from the machine's configuration.
func (w *world) git(dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"PATH="+w.path("bin")+":"+os.Getenv("PATH"), "HOME="+w.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
		"GIT_TRACE_PACKET=1", agent.HostSocketEnv+"="+w.path("host.sock"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (w *world) mustGit(dir string, args ...string) string {
	w.t.Helper()
	out, err := w.git(dir, args...)
	if err != nil {
		w.t.Fatalf("git %q: %v\n%s\n%s", args, err, out, w.log)
	}
	return out
}

// installHelper puts this test binary on git's PATH as the remote helper.
func (w *world) installHelper() {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.Mkdir(w.path("bin"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(w.path("bin"), agent.GitRemoteHelperName)); err != nil {
		w.t.Fatal(err)
	}
}

// serveGit is the host: it logs in, serves git upload-pack of a repository from its first moment on, and notes the protocols asked for.
func (w *world) serveGit(repository string) (protocols func() []string) {
	conn, opens, requests := w.login()
	var mu sync.Mutex
	var seen []string
	var serving sync.WaitGroup
	serving.Go(func() { ssh.DiscardRequests(requests) })
	serving.Go(func() {
		for open := range opens {
			if open.ChannelType() != sshwire.ChannelGit {
				_ = open.Reject(ssh.UnknownChannelType, "")
				continue
			}
			protocol := string(open.ExtraData())
			mu.Lock()
			seen = append(seen, protocol)
			mu.Unlock()
			channel, requests, err := open.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { ssh.DiscardRequests(requests) })
			serving.Go(func() {
				defer channel.Close()
				cmd := exec.Command("git", "upload-pack", "--strict", repository)
				cmd.Env = append(os.Environ(), "GIT_PROTOCOL="+protocol)
				stdin, _ := cmd.StdinPipe()
				cmd.Stdout = channel
				if cmd.Start() != nil {
					return
				}
				serving.Go(func() { copyAndClose(stdin, channel) })
				cmd.Wait()
				channel.CloseWrite()
			})
		}
	})
	w.t.Cleanup(func() { conn.Close(); serving.Wait() })
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), seen...)
	}
}

func TestGitFetchFromTheHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.installHelper()
	host := w.path("hostrepo")
	w.mustGit(w.dir, "init", "-q", "-b", "main", host)
	if err := os.WriteFile(filepath.Join(host, "file"), []byte("content\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.mustGit(host, "add", "file")
	w.mustGit(host, "commit", "-q", "-m", "first")
	protocols := w.serveGit(filepath.Join(host, ".git"))
	// A client that serves nothing, newer than the host's connection, must not be in the way.
	w.runSSH("-N", "box")
	w.eventually("two clients are logged in", func() bool {
		status, err := w.client.Status(t.Context())
		return err == nil && status.SSH.Connections == 2
	})

	inside := w.path("inside")
	w.mustGit(w.dir, "init", "-q", "-b", "main", inside)
	w.mustGit(inside, "remote", "add", "sketch-host", agent.URL)
	if out := w.mustGit(inside, "fetch", "sketch-host"); !strings.Contains(out, "< version 2") {
		t.Errorf("the conversation is not in protocol version 2:\n%s", out)
	}
	w.mustGit(inside, "-c", "protocol.version=0", "fetch", "sketch-host")
	w.mustGit(inside, "merge", "-q", "sketch-host/main")
	if data, err := os.ReadFile(filepath.Join(inside, "file")); string(data) != "content\n" {
		t.Errorf("fetched %q, %v", data, err)
	}
	if got := w.mustGit(inside, "ls-remote", agent.URL); !strings.Contains(got, "refs/heads/main") {
		t.Errorf("ls-remote: %s", got)
	}
	w.mustGit(w.dir, "clone", "-q", "--depth=1", agent.URL+"/", w.path("clone"))
	if got := strings.Join(protocols(), " "); got != "version=2  version=2 version=2" {
		t.Errorf("protocols asked for: %q", got)
	}

	out, err := w.git(inside, "push", "sketch-host", "main:refs/heads/evil")
	if err == nil || !strings.Contains(out, agent.ErrReadOnly.Error()) {
		t.Errorf("push: %v\n%s", err, out)
	}
	out, err = w.git(inside, "fetch", "sketch://elsewhere")
	if err == nil || !strings.Contains(out, "unknown address") {
		t.Errorf("another address: %v\n%s", err, out)
	}
}

func TestGitFetchWaitsForTheHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.installHelper()
	host := w.path("hostrepo")
	w.mustGit(w.dir, "init", "-q", "-b", "main", host)
	w.mustGit(host, "commit", "-q", "--allow-empty", "-m", "first")
	done := make(chan struct{})
	go func() {
		defer close(done)
		if out, err := w.git(w.dir, "ls-remote", agent.URL); err != nil || !strings.Contains(out, "refs/heads/main") {
			t.Errorf("ls-remote: %v\n%s", err, out)
		}
	}()
	w.serveGit(filepath.Join(host, ".git"))
	<-done
}

func TestHostSocketRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct{ name, request, want string }{
		{"unknown service", "shell\n", "error the host has no service \"shell\"\n"},
		{"bad protocol", "git-upload-pack version=2;rm\n", "error malformed request for a service of the host: not a value of GIT_PROTOCOL: \"version=2;rm\"\n"},
		{"empty", "\n", "error malformed request for a service of the host: no name\n"},
		{"too long", strings.Repeat("x", 1000) + "\n", "error malformed request for a service of the host: a line has more than 256 bytes\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("unix", w.path("host.sock"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			if got, err := ask(conn, test.request); got != test.want {
				t.Errorf("got %q, %v\nwant %q", got, err, test.want)
			}
		})
	}
	info, err := os.Stat(w.path("host.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %v, %v", info.Mode(), err)
	}
}

func TestGitRemoteHelperCommands(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, input, want string
		args              []string
		err               string
	}{
		{name: "capabilities", args: []string{"r", agent.URL}, input: "capabilities\n\n", want: "connect\n\n"},
		{name: "end of input", args: []string{"r", agent.URL}, input: "capabilities\n", want: "connect\n\n"},
		{name: "upload-archive", args: []string{"r", agent.URL}, input: "connect git-upload-archive\n", want: "fallback\n"},
		{name: "push", args: []string{"r", agent.URL}, input: "connect git-receive-pack\n", err: "read-only"},
		{name: "unknown command", args: []string{"r", agent.URL}, input: "list\n", err: `git asked for "list"`},
		{name: "address", args: []string{"r", "sketch://x"}, err: "unknown address"},
		{name: "no arguments", err: "started by git"},
		{name: "endless command", args: []string{"r", agent.URL}, input: strings.Repeat("x", 4096), err: "more than 1024 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			err := agent.GitRemoteHelper(context.Background(), test.args, strings.NewReader(test.input), &out)
			if out.String() != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("wrote %q, error %v", out.String(), err)
			}
		})
	}
}
