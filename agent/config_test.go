package agent

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

func goodConfig(t *testing.T) Config {
	t.Helper()
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Session: "sketch-brave-otter", User: "dev", HostKey: string(pem.EncodeToMemory(block)),
		AuthorizedKeys: []string{string(ssh.MarshalAuthorizedKey(signer.PublicKey()))},
		Workspace:      "/workspaces/x", Env: map[string]string{"A": "b"},
	}
}

func TestConfigRoundTrip(t *testing.T) {
	t.Parallel()
	want := goodConfig(t)
	data, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "agent.json")
	if err := os.WriteFile(path, data, 0o400); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Load(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no session", func(c *Config) { c.Session = "" }, "session is empty"},
		{"no user", func(c *Config) { c.User = "" }, "user is empty"},
		{"no host key", func(c *Config) { c.HostKey = "" }, "hostKey"},
		{"nobody may log in", func(c *Config) { c.AuthorizedKeys = nil }, "nobody could log in"},
		{"bad key", func(c *Config) { c.AuthorizedKeys = []string{"ssh-ed25519 AAAA"} }, "key 1"},
		{"options", func(c *Config) { c.AuthorizedKeys[0] = `command="ls" ` + c.AuthorizedKeys[0] }, "options are not supported"},
		{"two lines", func(c *Config) { c.AuthorizedKeys[0] += c.AuthorizedKeys[0] }, "more than one line"},
		{"too many keys", func(c *Config) { c.AuthorizedKeys = make([]string, 65) }, "the limit is 64"},
		{"listen", func(c *Config) { c.Listen = "22022" }, "listen"},
		{"listen on a name", func(c *Config) { c.Listen = ":ssh" }, "listen"},
		{"relative socket", func(c *Config) { c.Socket = "agent.sock" }, "not an absolute path"},
		{"long socket", func(c *Config) { c.Socket = "/" + strings.Repeat("x", 108) }, "107 bytes"},
		{"variable name", func(c *Config) { c.Env = map[string]string{"A=B": "c"} }, "not a variable name"},
		{"variable value", func(c *Config) { c.Env = map[string]string{"A": "\x00"} }, "zero byte"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := goodConfig(t)
			test.change(&c)
			if err := c.Check(); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestDecodeConfigRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "[]", `{"sesion":"x"}`, "{} {}", strings.Repeat(" ", maxConfigBytes+1)} {
		if _, err := decodeConfig(strings.NewReader(text)); !errors.Is(err, ErrConfig) {
			t.Errorf("%.20q gives %v", text, err)
		}
	}
}

func TestWorkspace(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]string{
		"/home/me/web app": "/workspaces/web app", "/": "/workspaces/workspace", "": "/workspaces/workspace", "/x/..": "/workspaces/workspace",
	} {
		if got := Workspace(dir); got != want {
			t.Errorf("Workspace(%q) = %q, want %q", dir, got, want)
		}
	}
}

// The container is not trusted: whatever its API answers, Status gives a status or an error.
func TestClientStatusOfHostileServer(t *testing.T) {
	t.Parallel()
	answers := map[string]http.HandlerFunc{
		"not found": http.NotFound,
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere/", http.StatusFound)
		},
		"garbage": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{")) },
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<16))); err != nil {
					return
				}
			}
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(answer)
			defer server.Close()
			client := clientOf(server.Listener.Addr().String())
			defer client.Close()
			if _, err := client.Status(context.Background()); err == nil {
				t.Error("no error")
			}
		})
	}
}
