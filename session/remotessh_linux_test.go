package session_test

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// remote is a session with a VS Code server in it that came there as Remote-SSH brings it.
type remote struct {
	*window
	session.Info
	toolchain string // see editors/vscode/test/e2e/setup.sh
	port      string // that the server listens on, inside
	token     string
}

// TestRemoteSSH does over plain OpenSSH what Remote-SSH does, with a real VS Code server: looks around, brings it in, starts it, reaches it by dynamic
// forwarding, and opens the repository in it from outside.
func TestRemoteSSH(t *testing.T) {
	t.Parallel()
	r := &remote{toolchain: toolchain(t), token: rand.Text()}
	r.window = open(t, newStore(t), func(c *session.Config) { c.Program = os.Getenv("SKETCH_IDE_AGENT") })
	r.Info = r.start(newRepo(t))
	for n, want := range []bool{true, true} {
		if yields, err := r.PrepareRemote(t.Context(), r.Name); err != nil || yields != want {
			t.Fatalf("prepare %d: %v, %v", n, yields, err)
		}
	}
	r.looksAround()
	r.install()
	r.launch()
	socks, local := freePort(t), freePort(t)
	r.tunnel("-D", fmt.Sprint(socks), "-L", fmt.Sprintf("%d:127.0.0.1:%s", local, r.port))
	base := fmt.Sprintf("http://127.0.0.1:%d", local)
	awaitPage(t, base+"/version")
	r.answersThroughSOCKS(socks)
	r.isNoticed(local, session.RemoteWindow{Editor: "VS Code"})
	r.opens(base)
	r.leavesPortsToUs()
	r.isNoticed(local, session.RemoteWindow{Editor: "VS Code", Forwards: true})
}

func toolchain(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "../editors/vscode/test/e2e/setup.sh")
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("set up a VS Code server: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// command is ssh into the session.
func (r *remote) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(r.t.Context(), "ssh", append([]string{"-F", r.SSHConfig, "-o", "BatchMode=yes"}, args...)...)
	cmd.Stderr = r.t.Output()
	return cmd
}

// script feeds a script to bash inside, as Remote-SSH does.
func (r *remote) script(text string) string {
	r.t.Helper()
	cmd := r.command("-T", r.Name, "bash")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *remote) looksAround() {
	r.t.Helper()
	if got := r.script("uname -s; [ -t 0 ] || echo no terminal; echo $((6*7))\n"); got != "Linux\nno terminal\n42" {
		r.t.Errorf("a script on standard input: %q", got)
	}
	if got := r.script("for t in bash tar gzip uname grep sed ps cat mkdir chmod; do command -v $t >/dev/null || echo $t; done\n"); got != "" {
		r.t.Errorf("missing inside: %s", got)
	}
	// What long-running parts of an editor's server rely on: an environment as of a login, and a process that outlives its connection.
	if got := r.script("echo $HOME $USER $SHELL $PATH; setsid sleep 300 >/dev/null 2>&1 </dev/null & echo $! >/tmp/stays\n"); !strings.HasPrefix(got, "/root root /") {
		r.t.Errorf("environment: %q", got)
	}
	if got := r.script("kill -0 $(cat /tmp/stays) && echo there; kill $(cat /tmp/stays)\n"); got != "there" {
		r.t.Errorf("a process in the background: %q", got)
	}
}

const remoteDir = ".vscode-server/test"

// install brings the server by tar over an exec channel, and its node by sftp.
func (r *remote) install() {
	r.t.Helper()
	server := filepath.Join(r.toolchain, "node_modules/code-server/lib/vscode")
	pack := exec.CommandContext(r.t.Context(), "tar", "-C", server, "-cf", "-", "bin", "out", "node_modules", "extensions", "package.json", "product.json")
	unpack := r.command(r.Name, "mkdir -p ~/"+remoteDir+" && tar -xf - -C ~/"+remoteDir)
	pipe, err := pack.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	unpack.Stdin = pipe
	if err := pack.Start(); err != nil {
		r.t.Fatal(err)
	}
	if err := unpack.Run(); err != nil {
		r.t.Fatalf("unpack inside: %v", err)
	}
	if err := pack.Wait(); err != nil {
		r.t.Fatalf("pack: %v", err)
	}
	node, err := filepath.EvalSymlinks(filepath.Join(r.toolchain, "bin/node"))
	if err != nil {
		r.t.Fatal(err)
	}
	if out, err := exec.CommandContext(r.t.Context(), "scp", "-q", "-F", r.SSHConfig, node, r.Name+":/root/"+remoteDir+"/node").CombinedOutput(); err != nil {
		r.t.Fatalf("scp on %s: %v\n%s", runtime.GOARCH, err, out)
	}
}

// launch starts the server in one connection, which ends, and learns its port.
func (r *remote) launch() {
	r.t.Helper()
	r.script("cd ~/" + remoteDir + `
./node out/server-main.js --start-server --host=127.0.0.1 --port=0 --connection-token=` + r.token + ` --accept-server-license-terms --telemetry-level off \
  --server-data-dir ~/.vscode-server/data --enable-remote-auto-shutdown >log 2>&1 </dev/null &
`)
	deadline, again := time.After(2*time.Minute), time.NewTicker(50*time.Millisecond)
	defer again.Stop()
	for r.port == "" {
		r.port = r.script("sed -n 's/^Extension host agent listening on //p' ~/" + remoteDir + "/log\n")
		select {
		case <-again.C:
		case <-deadline:
			r.t.Fatalf("the server does not start: %s", r.script("cat ~/"+remoteDir+"/log\n"))
		}
	}
}

// tunnel keeps ssh's forwards until the test ends.
func (r *remote) tunnel(args ...string) {
	r.t.Helper()
	cmd := r.command(append(append([]string{"-N", "-o", "ExitOnForwardFailure=yes"}, args...), r.Name)...)
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

func (r *remote) answersThroughSOCKS(port uint16) {
	r.t.Helper()
	var product struct{ Commit string }
	data, err := os.ReadFile(filepath.Join(r.toolchain, "node_modules/code-server/lib/vscode/product.json"))
	if err == nil {
		err = json.Unmarshal(data, &product)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	proxy := &url.URL{Scheme: "socks5h", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}, Timeout: time.Minute}
	res, err := client.Get("http://127.0.0.1:" + r.port + "/version")
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || string(got) != product.Commit {
		r.t.Errorf("through -D: %q, %v, want %q", got, err, product.Commit)
	}
}

// isNoticed: while a window is attached the session says so, and what it does about ports is told by one of the two.
func (r *remote) isNoticed(port uint16, want session.RemoteWindow) {
	r.t.Helper()
	r.await(r.Name, "no window", func(i session.Info) bool { return i.Remote == session.RemoteWindow{} })
	leave := r.upgrades(port)
	r.await(r.Name, "a window", func(i session.Info) bool { return i.Remote == want })
	served := freePort(r.t)
	stop := r.serve(r.Name, "127.0.0.1", served)
	info := r.await(r.Name, "forward", forwarded(served))
	if silent := find(info, served).Action == tunnel.Silent; silent != want.Forwards {
		r.t.Errorf("%+v, and the forward is silent: %v", want, silent)
	}
	if want.Forwards {
		told := r.problems()
		if e, ok := errors.AsType[*session.RemoteWindowError](told); !ok || e.Editor != want.Editor {
			r.t.Errorf("told is %v", told)
		}
	}
	stop()
	leave()
	r.await(r.Name, "no window any more", func(i session.Info) bool { return i.Remote == session.RemoteWindow{} })
}

// upgrades opens the connection that an editor's window has with its server, and returns what closes it.
func (r *remote) upgrades(port uint16) (leave func()) {
	r.t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	fmt.Fprint(conn, "GET /?reconnectionToken=00000000-0000-4000-8000-000000000000&reconnection=false&skipWebSocketFrames=false HTTP/1.1\r\nHost: localhost\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		r.t.Fatalf("the upgrade: %+v, %v", res, err)
	}
	return func() { conn.Close() }
}

// opens shows the repository in a browser, whose window is the one that a desktop VS Code has.
func (r *remote) opens(base string) {
	r.t.Helper()
	address := base + "/?" + url.Values{"tkn": {r.token}, "folder": {r.Workspace}}.Encode()
	cmd := exec.CommandContext(r.t.Context(), filepath.Join(r.toolchain, "bin/node"), "testdata/remotessh/open.mjs", r.toolchain, address, "index.html")
	cmd.Stderr = r.t.Output()
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != "hello from inside" {
		r.t.Errorf("in the workbench: %q, %v", out, err)
	}
}

// leavesPortsToUs: the server's own port is not forwarded by us, and the window's forwarding is off.
func (r *remote) leavesPortsToUs() {
	r.t.Helper()
	number, err := strconv.ParseUint(r.port, 10, 16)
	if err != nil {
		r.t.Fatal(err)
	}
	info, err := r.window.Info(r.Name)
	if f := find(info, uint16(number)); err != nil || f.Status == tunnel.Forwarded {
		r.t.Errorf("the server's own port: %+v, %v", f, err)
	}
	if got := r.script("cat ~/.vscode-server/data/Machine/settings.json\n"); !strings.Contains(got, `"remote.autoForwardPorts": false`) {
		r.t.Errorf("the window's settings are %q", got)
	}
	r.script("echo '{}' >~/.vscode-server/data/Machine/settings.json\n")
	if yields, err := r.PrepareRemote(r.t.Context(), r.Name); err != nil || yields {
		r.t.Errorf("with settings of the user's: %v, %v", yields, err)
	}
	if got := r.script("cat ~/.vscode-server/data/Machine/settings.json\n"); got != "{}" {
		r.t.Errorf("they became %q", got)
	}
}
