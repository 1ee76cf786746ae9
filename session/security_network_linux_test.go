package session_test

import (
	"bufio"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/internal/dockertest"
	"github.com/sketch-ide/sketch-ide/session"
)

// The machines of TestSecurityNetwork: the engine's has hostLAN and everywhereElse behind that cable.
const (
	hostLAN  = "192.168.77.1"
	lan      = "192.168.77.2"
	metadata = "169.254.169.254"
	internet = "198.51.100.7"
)

// TestSecurityNetwork holds the table of docs/security.md: what a session reaches of its host and beyond, in each mode, and with the rules that stand there.
func TestSecurityNetwork(t *testing.T) {
	t.Parallel()
	engine, image := dockertest.Start(t), dockertest.Busybox(t)
	engine.Load(image)
	tcp, certs := engine.TLS()
	env := map[string]string{"DOCKER_HOST": tcp, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certs}
	host := engine.Machine()
	others := host.Neighbour(hostLAN+"/24", lan, metadata, internet)
	host.Listen("127.0.0.1:7001")
	host.Listen("0.0.0.0:7002")
	others.Listen("0.0.0.0:7003")
	others.Listen("0.0.0.0:53")

	inMode := func(network container.Network) (reached, all []string, ip string) {
		w := openRemote(t, image, env)
		w.Configure(session.Settings{BaseImage: image, Container: session.ContainerSettings{Network: network}})
		info, err := w.Start(t.Context(), session.StartOptions{Folder: newRepo(t)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := w.Remove(t.Context(), info.Name); err != nil {
				t.Error(err)
			}
		}()
		gateway := strings.TrimSpace(engine.Docker("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Gateway}}{{end}}", container.DefaultNetwork))
		all = []string{gateway + ":7001", hostLAN + ":7001", gateway + ":7002", hostLAN + ":7002", lan + ":7003", metadata + ":7003", internet + ":7003", lan + ":53"}
		out := w.output(info.Name, `for a in `+strings.Join(all, " ")+`; do
	[ "$(nc -w 5 ${a%:*} ${a#*:} </dev/null 2>/dev/null)" = `+dockertest.Greeting+` ] && echo $a
done; git fetch -q sketch-host && echo git`)
		ip = strings.TrimSpace(engine.Docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", info.Container))
		if ip != "" {
			answersFrom(t, host, ip)
		}
		return strings.Fields(out), all, ip
	}
	expect := func(mode string, got []string, want ...string) {
		t.Helper()
		if have := strings.Join(got, " "); have != strings.Join(append(want, "git"), " ") {
			t.Errorf("%s: a session reaches %s, want %v and git", mode, have, want)
		}
	}

	reached, all, _ := inMode(container.NetworkBridge)
	expect("bridge", reached, all[2:]...)
	reached, _, ip := inMode(container.NetworkNone)
	if expect("none", reached); ip != "" {
		t.Errorf("without a network it has the address %s", ip)
	}
	engine.Docker("network", "rm", container.DefaultNetwork)
	for _, line := range documentedRules(t) {
		if rest, is := strings.CutPrefix(line, "docker "); is {
			engine.Docker(strings.Fields(rest)...)
			continue
		}
		host.Run(line)
	}
	reached, all, _ = inMode(container.NetworkBridge)
	expect("with rules", reached, all[6:]...)
}

// answersFrom checks that the machine can enter a container as sketch-ide does where the engine is local.
func answersFrom(t *testing.T, host *dockertest.Machine, ip string) {
	t.Helper()
	conn, err := host.Dial(net.JoinHostPort(ip, "22022"))
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.HasPrefix(line, "SSH-2.0-") {
		t.Errorf("the machine is answered %q, %v", line, err)
	}
}

// documentedRules are the commands that docs/security.md tells users to run, one that spans lines as one.
func documentedRules(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```sh\n")
	block, _, _ := strings.Cut(rest, "```")
	first, rules, found := strings.Cut(strings.ReplaceAll(block, "sudo ", ""), "\n")
	if !found || !strings.HasPrefix(first, "docker network create") {
		t.Fatalf("no rules in docs/security.md: %q", block)
	}
	return []string{first, rules}
}
