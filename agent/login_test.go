//go:build linux

package agent_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	otherPEM, other := newKey(t)
	w.write("other", otherPEM)
	refused := func(name, config, wantLog string, args ...string) {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t, w.sshConfig = t, config
			if got := w.ssh("", append(args, "box", "true")...); got.status != 255 || !strings.Contains(got.stderr, "Permission denied (publickey)") {
				t.Errorf("%+v", got)
			}
			w.eventually("the refusal is logged", func() bool { return w.log.contains("login refused") && w.log.contains(wantLog) })
		})
	}
	otherConfig := w.replaced("other_config", w.path("id"), w.path("other"))
	refused("wrong key", otherConfig, ssh.FingerprintSHA256(other.PublicKey()))
	refused("wrong user", w.sshConfig, "user=mallory", "-l", "mallory")
}

func TestOnlyPublicKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := false
	_, err := ssh.Dial("tcp", w.address, &ssh.ClientConfig{
		User: user,
		Auth: []ssh.AuthMethod{
			ssh.PasswordCallback(func() (string, error) { asked = true; return "secret", nil }),
			ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { asked = true; return nil, nil }),
		},
		HostKeyCallback: ssh.FixedHostKey(w.hostKey),
	})
	if err == nil || asked {
		t.Errorf("err %v, a password was asked for: %v", err, asked)
	}
}

func TestGarbageDoesNotDisturb(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 20 {
		conn, err := net.Dial("tcp", w.address)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(strings.Repeat("GET / HTTP/1.1\r\n", 1000)))
		defer conn.Close()
	}
	if got := w.ssh("", "box", "echo fine"); got.stdout != "fine\n" {
		t.Errorf("%+v", got)
	}
}

// A client that floods its connection with requests and channels must not slow another's down.
func TestFloodIsContained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flood := w.dial()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			flood.OpenChannel("session", nil)
			flood.SendRequest("nonsense", false, make([]byte, 1<<10))
		}
	}()
	start := time.Now()
	if got := w.ssh("", "box", "echo fine"); got.stdout != "fine\n" {
		t.Errorf("%+v", got)
	}
	if elapsed := time.Since(start); elapsed > patience {
		t.Errorf("took %v", elapsed)
	}
	close(stop)
	<-done
}

func (w *world) replaced(name, from, to string) string {
	return w.write(name, strings.ReplaceAll(w.read("ssh_config"), from, to))
}
