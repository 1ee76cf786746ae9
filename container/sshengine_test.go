package container

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestSSHTarget(t *testing.T) {
	t.Parallel()
	tests := []struct {
		host string
		want string // the command's last words; "" where the address is refused
	}{
		{"ssh://there", "-- there docker system dial-stdio"},
		{"ssh://me@there:2222", "-l me -p 2222 -- there docker system dial-stdio"},
		{"ssh://there/run/user/1000/docker.sock", "-- there docker -H 'unix:///run/user/1000/docker.sock' system dial-stdio"},
		{"ssh://[::1]:22/", "-p 22 -- ::1 docker system dial-stdio"},
		{"ssh://there/it's", `-- there docker -H 'unix:///it'\''s' system dial-stdio`},
		{"ssh://", ""},
		{"ssh://-oProxyCommand=touch", ""},
		{"ssh://me:secret@there", ""},
		{"ssh://there?x", ""},
		{"ssh://there/../x", ""},
		{"ssh://a%20b@there", ""},
	}
	for _, tt := range tests {
		target, err := parseSSHTarget(tt.host)
		if err != nil || tt.want == "" {
			if (err == nil) != (tt.want != "") {
				t.Errorf("%s: %v", tt.host, err)
			}
			continue
		}
		if got := strings.Join(target.arguments(), " "); !strings.HasSuffix(got, "ServerAliveInterval=15 "+tt.want) {
			t.Errorf("%s: %s", tt.host, got)
		}
	}
}

func TestCommandConn(t *testing.T) {
	t.Parallel()
	explain := func(words string) error { return errors.New("said " + words) }
	start := func(script string) *commandConn {
		t.Helper()
		c, err := startCommand(t.Context(), "sh", []string{"-c", script})
		if err != nil {
			t.Fatal(err)
		}
		c.explain = explain
		t.Cleanup(func() { c.Close() })
		return c
	}
	t.Run("half-close", func(t *testing.T) {
		t.Parallel()
		c := start("cat; echo end")
		if _, err := c.Write([]byte("hello ")); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || string(got) != "hello end\n" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("last words", func(t *testing.T) {
		t.Parallel()
		c := start("echo no >&2; echo way >&2; exit 255")
		if _, err := c.Read(make([]byte, 1)); err == nil || err.Error() != "said no way" {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("deadline, and the end of one that stays", func(t *testing.T) {
		t.Parallel()
		c := start("exec sleep 1000")
		if err := c.SetReadDeadline(time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !isTimeout(err) {
			t.Errorf("error is %v", err)
		}
		c.Close()
		<-c.ended
	})
	if _, err := startCommand(t.Context(), "no-such-command", nil); err == nil || !strings.Contains(err.Error(), "there is no command") {
		t.Errorf("error is %v", err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout()
}
