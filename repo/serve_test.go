package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestServeOffersBranchesTagsAndHead(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	hostGit(t, dir, "update-ref", "refs/remotes/origin/main", "HEAD")
	hostGit(t, dir, "update-ref", "refs/stash", "HEAD")
	hostGit(t, dir, "update-ref", "refs/notes/commits", "HEAD")
	host := mustOpen(t, dir)
	in := newInside(t, host)
	var names []string
	for line := range strings.Lines(in.git(in.dir, "ls-remote", RemoteURL)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		names = append(names, name)
	}
	want := []string{"HEAD", "refs/heads/main", "refs/heads/other", "refs/sketch/base", "refs/tags/v1", "refs/tags/v1^{}"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

// A hostile container asks by name for commits that no branch or tag reaches.
func TestServeRefusesWhatIsNotOnOffer(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	secret := func(ref string) string {
		id := hostGit(t, dir, "commit-tree", "-m", "secret of "+ref, "HEAD^{tree}")
		if ref != "" {
			hostGit(t, dir, "update-ref", ref, id)
		}
		return id
	}
	blob := strings.Fields(hostGit(t, dir, "ls-tree", "HEAD", "file0.txt"))[2]
	for key, value := range map[string]string{ // what a user may have set for other purposes has no say
		"uploadpack.allowAnySHA1InWant":       "true",
		"uploadpack.allowReachableSHA1InWant": "true",
		"uploadpack.allowTipSHA1InWant":       "true",
		"uploadpack.allowFilter":              "true",
		"uploadpack.hideRefs":                 "!refs/private",
	} {
		hostGit(t, dir, "config", key, value)
	}
	for _, tt := range []struct{ name, id string }{
		{"a ref elsewhere", secret("refs/private/x")},
		{"a remote's branch", secret("refs/remotes/origin/x")},
		{"a stash", secret("refs/stash")},
		{"a commit without a ref", secret("")},
		{"an older commit", hostGit(t, dir, "rev-parse", "main~1^{commit}")[:40]},
		{"a file", blob},
		{"nothing that exists", strings.Repeat("1", 40)},
	} {
		if tt.name == "an older commit" {
			hostGit(t, dir, "branch", "-q", "-D", "other") // it was other's
		}
		for _, version := range []string{"0", "1", "2"} {
			t.Run(tt.name+", protocol "+version, func(t *testing.T) {
				t.Parallel()
				in := newInside(t, mustOpen(t, dir))
				hostGit(t, in.dir, "init", "-q", "r")
				client := filepath.Join(in.dir, "r")
				out, err := in.tryGit(client, "-c", "protocol.version="+version, "fetch", RemoteURL, tt.id)
				if err == nil {
					t.Errorf("fetched %s:\n%s", tt.id, out)
				}
				if _, err := in.tryGit(client, "cat-file", "-e", tt.id); err == nil {
					t.Errorf("%s is inside", tt.id)
				}
			})
		}
	}
}

// The user's configuration names programs that git runs; none may run because a container fetches.
func TestServeRunsNothingOfTheUsers(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	ran := filepath.Join(realTemp(t), "ran")
	script := filepath.Join(realTemp(t), "script")
	writeFile(t, script, "#!/bin/sh\necho \"$0 $*\" >>"+quote(ran)+"\nexec \"$@\"\n", 0o755)
	for _, hook := range []string{"pre-upload", "post-checkout", "reference-transaction", "post-index-change"} {
		writeFile(t, filepath.Join(dir, ".git", "hooks", hook), "#!/bin/sh\necho "+hook+" >>"+quote(ran)+"\n", 0o755)
	}
	for _, key := range []string{"core.fsmonitor", "uploadpack.packObjectsHook", "core.pager", "core.sshCommand", "core.alternateRefsCommand"} {
		hostGit(t, dir, "config", key, script)
	}
	host := mustOpen(t, dir)
	in := newInside(t, host)
	in.checkout(host, filepath.Join(in.dir, "p"), "s")
	if out, err := os.ReadFile(ran); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ran, %v:\n%s", err, out)
	}
}

// pipe connects a test to ServeUploadPack, and returns the test's end and what the call returns.
func pipe(t *testing.T, ctx context.Context, host *Repo) (client *net.UnixConn, result <-chan error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "p*") // short, for the socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	dialed, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dialed.Close() }) // a test may have closed it
	done := make(chan error, 1)
	// Ends when the fetch does, which each test brings about and waits for.
	go func() { done <- host.ServeUploadPack(ctx, accepted) }()
	return dialed.(*net.UnixConn), done
}

func wait(t *testing.T, result <-chan error) error {
	t.Helper()
	select {
	case err := <-result:
		return err
	case <-time.After(time.Minute):
		t.Fatal("ServeUploadPack does not return")
		return nil
	}
}

func TestServeEndsBadClients(t *testing.T) {
	t.Parallel()
	host := mustOpen(t, newHost(t, "project"))
	want := pkt("want " + host.Head + " ofs-delta\n")
	for _, tt := range []struct {
		name string
		send func(c *net.UnixConn)
	}{
		{"garbage", func(c *net.UnixConn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }},
		{"zeros", func(c *net.UnixConn) { _, _ = c.Write(make([]byte, 1<<20)) }},
		{"a line longer than a packet", func(c *net.UnixConn) { _, _ = io.WriteString(c, "ffff"+strings.Repeat("a", 1<<17)) }},
		{"half a packet, then the end", func(c *net.UnixConn) { _, _ = io.WriteString(c, want[:9]); _ = c.CloseWrite() }},
		{"a want for a ref name", func(c *net.UnixConn) { _, _ = io.WriteString(c, pkt("want refs/heads/main\n")) }},
		{"an endless request", func(c *net.UnixConn) {
			_, _ = io.WriteString(c, want)
			block := strings.Repeat(pkt("want "+host.Head+"\n"), 10_000)
			for {
				if _, err := io.WriteString(c, block); err != nil {
					return
				}
			}
		}},
		{"silence, and then gone", func(c *net.UnixConn) { _ = c.Close() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, result := pipe(t, t.Context(), host)
			// Ends when ServeUploadPack closes its end, at the latest.
			go func() { _, _ = io.Copy(io.Discard, client) }()
			tt.send(client)
			err := wait(t, result)
			if err == nil {
				t.Error("no error")
			}
			if tt.name == "an endless request" && !errors.Is(err, ErrTooMuchInput) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func pkt(line string) string { return fmt.Sprintf("%04x%s", len(line)+4, line) }

func TestServeToAClientThatTakesNothing(t *testing.T) {
	t.Parallel()
	dir := newHost(t, "project")
	noise := make([]byte, 4<<20)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	commit(t, dir, "noise", string(noise))
	host := mustOpen(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	client, result := pipe(t, ctx, host)
	if _, err := io.WriteString(client, pkt("want "+host.Head+"\n")+"0000"+pkt("done\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, make([]byte, 1<<16)); err != nil { // it is being sent
		t.Fatal(err)
	}
	cancel()
	if err := wait(t, result); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestServeWaitsItsTurn(t *testing.T) {
	t.Parallel()
	host := mustOpen(t, newHost(t, "project"))
	var clients []*net.UnixConn
	var results []<-chan error
	for range maxServing {
		client, result := pipe(t, t.Context(), host)
		if _, err := io.ReadFull(client, make([]byte, 4)); err != nil { // it has its turn
			t.Fatal(err)
		}
		clients, results = append(clients, client), append(results, result)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, waiting := pipe(t, ctx, host)
	cancel()
	if err := wait(t, waiting); !errors.Is(err, context.Canceled) {
		t.Errorf("the one too many: got %v", err)
	}
	for i, client := range clients {
		if _, err := io.WriteString(client, "0000"); err != nil { // wants nothing
			t.Fatal(err)
		}
		if err := wait(t, results[i]); err != nil {
			t.Error(err)
		}
	}
}

// A stand-in for git has a child that would outlive it.
func TestServeKillsTheWholeGroup(t *testing.T) {
	host := mustOpen(t, newHost(t, "project"))
	pids := filepath.Join(t.TempDir(), "pids")
	real := os.Getenv("PATH")
	t.Setenv("PATH", t.TempDir()+":"+real)
	bin, _, _ := strings.Cut(os.Getenv("PATH"), ":")
	writeFile(t, filepath.Join(bin, "git"), `#!/bin/sh
case "$1" in
upload-pack) sleep 600 & echo $! $$ >`+quote(pids)+`.part; mv `+quote(pids)+".part "+quote(pids)+`; wait;;
*) PATH=`+quote(real)+` exec git "$@";;
esac
`, 0o755)
	ctx, cancel := context.WithCancel(t.Context())
	_, result := pipe(t, ctx, host)
	var content []byte
	eventually(t, func() (err error) { content, err = os.ReadFile(pids); return err })
	cancel()
	if err := wait(t, result); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for field := range strings.FieldsSeq(string(content)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { return gone(pid) })
	}
}

// gone returns nil when there is no process pid, or one that is dead and only waits for its parent's attention.
func gone(pid int) error {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) || err == nil && strings.Contains(string(stat), ") Z ") {
		return nil
	}
	return fmt.Errorf("process %d lives: %s %w", pid, stat, err)
}

// eventually calls try until it returns nil.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}
