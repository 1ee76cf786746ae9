package session_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/session"
)

// The claims about what a container can do to its host, one test each, on real sessions. What a hostile container serves to git is in package repo
// (TestSecurity…), what it says over SSH in tunnel and ports, what it asks of the models' gateway in gateway.

func TestSecurity(t *testing.T) {
	t.Parallel()
	before := listening(t)
	p := newPair(t)
	for _, claim := range []struct {
		name string
		test func(*testing.T, *pair)
	}{
		{"the host listens for us on loopback only", func(t *testing.T, p *pair) { listensOnLoopbackOnly(t, p, before) }},
		{"the container reaches nothing of ours on the host", reachesNothingOfOurs},
		{"the host serves the container two channels and no more", servesNamedServicesOnly},
		{"nothing inside answers for the agent but the SSH server", hasNoOtherAPI},
		{"the container is confined", isConfined},
		{"the host's secrets are not inside", hasNoSecrets},
		{"the engine's records have no secrets", inspectShowsNoSecrets},
		{"the files of keys are their owner's alone", keyFilesArePrivate},
		{"a session lets in its own key and user, and nobody else", letsNobodyElseIn},
		{"a server with another key is not talked to", talksToPinnedKeysOnly},
	} {
		t.Run(claim.name, func(t *testing.T) {
			p := *p
			p.window = &window{Supervisor: p.Supervisor, t: t, info: p.info, branches: p.branches, news: p.news}
			claim.test(t, &p)
		})
	}
}

// listening are this machine's TCP listeners as ss shows them: local address, and who listens.
func listening(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ss", "-Hltnp").Output()
	if err != nil {
		t.Fatalf("ss: %v", err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 3 {
			found[f[3]] = strings.Join(f[5:], " ")
		}
	}
	return found
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	host, _, _ = strings.Cut(strings.Trim(host, "[]"), "%")
	return net.ParseIP(strings.TrimPrefix(host, "::ffff:")).IsLoopback()
}

func listensOnLoopbackOnly(t *testing.T, p *pair, before map[string]string) {
	var ours []string
	published := fmt.Sprint(":", inspect(t, p.a.Container).SSH.Port())
	for address, who := range listening(t) {
		mine := strings.Contains(who, fmt.Sprintf("pid=%d,", os.Getpid())) || strings.HasSuffix(address, published) ||
			strings.HasSuffix(address, fmt.Sprint(":", p.hostPort))
		if !mine {
			continue
		}
		if before[address] != who {
			ours = append(ours, address)
		}
		if !isLoopback(address) {
			t.Errorf("%s is open to others: %s", address, who)
		}
	}
	for _, want := range []string{"127.0.0.1" + published, fmt.Sprintf("127.0.0.1:%d", p.hostPort)} {
		if !slices.Contains(ours, want) {
			t.Errorf("%s does not listen: %v", want, ours)
		}
	}
}

// reach is a script that prints which of the addresses accept a connection from inside.
func reach(addresses []string) string {
	list, _ := json.Marshal(addresses)
	return `python3 - <<'EOF'
import json, socket
for address in json.loads('` + string(list) + `'):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host.strip("[]"), int(port)), 2).close()
        print(address)
    except OSError:
        pass
EOF`
}

func reachesNothingOfOurs(t *testing.T, p *pair) {
	gateway := p.output(p.a.Name, `ip route 2>/dev/null | sed -n 's/^default via \([^ ]*\).*/\1/p'; python3 -c 'import socket,struct
for l in open("/proc/net/route"):
    f=l.split()
    if f[1]=="00000000": print(socket.inet_ntoa(struct.pack("<L",int(f[2],16))))'`)
	hosts := []string{"127.0.0.1", "host.docker.internal", strings.Fields(gateway)[0]}
	for route := range strings.FieldsSeq(dockerOutput(t, "network", "inspect", "bridge", "-f", "{{range .IPAM.Config}}{{.Gateway}} {{end}}")) {
		hosts = append(hosts, route)
	}
	sshPort := inspect(t, p.b.Container).SSH.Port()
	var addresses []string
	for _, host := range hosts {
		if host != "127.0.0.1" { // inside, that is the container's own server
			addresses = append(addresses, net.JoinHostPort(host, strconv.Itoa(int(p.hostPort))))
		}
		addresses = append(addresses, net.JoinHostPort(host, strconv.Itoa(int(sshPort))))
	}
	if got := p.output(p.a.Name, reach(addresses)); got != "" {
		t.Errorf("of %v there is reached: %s", addresses, got)
	}
}

// servesNamedServicesOnly asks from inside, by the socket that programs there have, for what there is not.
func servesNamedServicesOnly(t *testing.T, p *pair) {
	got := p.output(p.a.Name, `python3 - <<'EOF'
import socket
for name in ["git-receive-pack", "git-upload-pack", "shell", "session", "direct-tcpip", "auth-agent@openssh.com", "x11", "../../etc/passwd", ""]:
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect("`+agent.HostSocket+`")
    s.sendall(name.encode() + b"\n")
    print(name, s.makefile("rb").readline().decode().split(" ")[0].strip())
EOF`)
	for line := range strings.Lines(got) {
		name, answer, _ := strings.Cut(strings.TrimSpace(line), " ")
		if want := name == "git-upload-pack"; (answer == "ok") != want {
			t.Errorf("%q is answered by %q", name, answer)
		}
	}
	if !strings.Contains(got, "git-upload-pack ok") {
		t.Errorf("nothing was served: %s", got)
	}
	push := p.output(p.a.Name, "git push sketch-host HEAD:refs/heads/evil && echo pushed || true")
	if strings.HasSuffix(push, "pushed") || strings.Contains(runGit(t, "-C", p.repo, "for-each-ref"), "evil") {
		t.Errorf("a push reached the host: %s", push)
	}
}

// hasNoOtherAPI asks everything that listens on TCP inside, but for the server of the test, for what the agent's API would answer.
func hasNoOtherAPI(t *testing.T, p *pair) {
	got := p.output(p.b.Name, `python3 - <<'EOF'
import http.client
ports = set()
for f in ("/proc/net/tcp", "/proc/net/tcp6"):
    try:
        for line in open(f).readlines()[1:]:
            c = line.split()
            if c[3] == "0A": ports.add(int(c[1].rsplit(":", 1)[1], 16))
    except OSError:
        pass
print("listening", *sorted(ports))
for port in ports:
    for path in ("/status", "/ports", "/port-events", "/conversation", "/prompt"):
        try:
            h = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            h.request("GET", path)
            r = h.getresponse()
            if r.status == 200: print("answers", port, path)
        except Exception:
            pass
EOF`)
	if strings.Contains(got, "answers") || !strings.HasPrefix(got, "listening ") {
		t.Errorf("%s", got)
	}
}

func isConfined(t *testing.T, p *pair) {
	status := p.output(p.a.Name, "grep -E '^(CapEff|CapBnd|Seccomp):' /proc/self/status")
	// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE, AUDIT_WRITE, SETFCAP: container/hardening.go says what for.
	const most = 1<<0 | 1<<1 | 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<10 | 1<<29 | 1<<31
	for _, m := range regexp.MustCompile(`Cap...:\s+([0-9a-f]+)`).FindAllStringSubmatch(status, -1) {
		if have, err := strconv.ParseUint(m[1], 16, 64); err != nil || have&^most != 0 {
			t.Errorf("capabilities %s: %v", m[0], err)
		}
	}
	if !regexp.MustCompile(`Seccomp:\s+2`).MatchString(status) {
		t.Errorf("no seccomp filter: %s", status)
	}
	got := p.output(p.a.Name, "ls -d /var/run/docker.sock /run/docker.sock /run/containerd 2>/dev/null; ls /dev/sd* /dev/vd* /dev/nvme* /dev/mem 2>/dev/null; true")
	if got != "" {
		t.Errorf("the host's devices or sockets are inside: %s", got)
	}
	var c struct {
		Privileged                                bool
		NetworkMode, PidMode, IpcMode, UsernsMode string
		Binds                                     []string
		Devices                                   []any
		Memory, MemorySwap, PidsLimit             int64
		Init                                      bool
	}
	if err := json.Unmarshal([]byte(dockerOutput(t, "inspect", "-f", "{{json .HostConfig}}", p.a.Container)), &c); err != nil {
		t.Fatal(err)
	}
	if c.Privileged || c.NetworkMode == "host" || c.PidMode != "" || c.IpcMode == "host" || c.UsernsMode == "host" || len(c.Binds)+len(c.Devices) > 0 {
		t.Errorf("the engine gives it %+v", c)
	}
	if c.Memory <= 0 || c.MemorySwap != c.Memory || c.PidsLimit <= 0 || !c.Init {
		t.Errorf("it is not bounded: %+v", c)
	}
	if got := p.output(p.a.Name, "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)' 2>&1 | tail -1; mknod /tmp/sda b 8 0 2>&1 || true"); strings.Count(got, "not permitted") != 2 {
		t.Errorf("raw sockets and devices: %s", got)
	}
	if mounts := dockerOutput(t, "inspect", "-f", "{{range .Mounts}}{{.Type}} {{.Source}};{{end}}", p.a.Container); mounts != "" {
		t.Errorf("mounts: %s", mounts)
	}
}

func hasNoSecrets(t *testing.T, p *pair) {
	for _, secret := range p.secrets(t, p.a.Name) {
		// In two parts, so that the search does not find itself.
		half := len(secret) / 2
		got := p.output(p.a.Name, fmt.Sprintf(`python3 - <<'EOF'
import os
secret = (%q + %q).encode()
def look(path):
    try:
        if os.path.isfile(path) and secret in open(path, "rb").read(): print(path)
    except OSError:
        pass
for pid in filter(str.isdigit, os.listdir("/proc")):
    look(f"/proc/{pid}/environ"); look(f"/proc/{pid}/cmdline")
for top in set(os.listdir("/")) - {"proc", "sys", "usr", "dev"}:
    for dir, _, files in os.walk("/" + top):
        for f in files: look(os.path.join(dir, f))
EOF`, secret[:half], secret[half:]))
		if got != "" {
			t.Errorf("a secret of the host is inside: %s", got)
		}
	}
}

func inspectShowsNoSecrets(t *testing.T, p *pair) {
	c := dockerOutput(t, "inspect", p.a.Container) + dockerOutput(t, "history", "--no-trunc", "-q", p.a.Image) + dockerOutput(t, "inspect", p.a.Image) +
		dockerOutput(t, "logs", p.a.Container)
	for _, secret := range append(p.secrets(t, p.a.Name), "PRIVATE KEY") {
		if strings.Contains(c, secret) {
			t.Errorf("%.12s… is in the engine's records", secret)
		}
	}
}

func keyFilesArePrivate(t *testing.T, p *pair) {
	err := filepath.WalkDir(p.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	got := p.output(p.a.Name, `for f in $(grep -rIlsF "PRIVATE KEY" /run /etc /opt /root /home 2>/dev/null); do stat -c '%a %n' "$f"; done`)
	for line := range strings.Lines(got) {
		if mode, _, _ := strings.Cut(line, " "); mode != "400" && !strings.HasPrefix(line, "644 /etc/ssl") {
			t.Errorf("inside: %s", line)
		}
	}
	if !strings.HasPrefix(got, "400 ") {
		t.Errorf("the server's key was not found: %q", got)
	}
}

func letsNobodyElseIn(t *testing.T, p *pair) {
	if out, err := p.ssh(t, p.a); err != nil || out != "entered as root\n" {
		t.Fatalf("the session's own key: %v, %s", err, out)
	}
	other := filepath.Join(p.state, "sessions", p.b.Name, "client_key")
	// A copy of the entry: IdentityFile adds up, so that an option alone would try the right key too.
	config, err := os.ReadFile(p.a.SSHConfig)
	if err != nil {
		t.Fatal(err)
	}
	changed := p.a
	changed.SSHConfig = filepath.Join(t.TempDir(), "config")
	own := filepath.Join(p.state, "sessions", p.a.Name, "client_key")
	if err := os.WriteFile(changed.SSHConfig, []byte(strings.ReplaceAll(string(config), own, other)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		info session.Info
		args []string
		log  string
	}{
		{"another session's key", changed, nil, "method=publickey"},
		{"another user", p.a, []string{"-l", "mallory"}, "user=mallory"},
		{"a password", p.a, []string{"-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive"}, ""},
	} {
		out, err := p.ssh(t, tt.info, tt.args...)
		if err == nil || !strings.Contains(out, "Permission denied (publickey)") {
			t.Errorf("%s: %v, %s", tt.name, err, out)
		}
		if logs, err := p.Logs(t.Context(), p.a.Name, 200); err != nil || tt.log != "" && !(strings.Contains(logs, "login refused") && strings.Contains(logs, tt.log)) {
			t.Errorf("%s is not logged: %v\n%s", tt.name, err, logs)
		}
	}
}

func talksToPinnedKeysOnly(t *testing.T, p *pair) {
	known, err := os.ReadFile(filepath.Join(p.state, "sessions", p.b.Name, "known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(known), p.b.Name, p.a.Name)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := p.ssh(t, p.a, "-o", "UserKnownHostsFile="+file); err == nil || !strings.Contains(out, "verification failed") {
		t.Errorf("a server with another key: %v, %s", err, out)
	}
	if out, err := p.ssh(t, p.a, "-o", "UserKnownHostsFile=/dev/null"); err == nil {
		t.Errorf("a server whose key is not known: %s", out)
	}
}
