package agent

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
)

func clientOf(address string) *Client {
	return NewClient(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	})
}

func TestCheckGitProtocol(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"version=2": true, "version=1:object-format=sha256": true, "version=0": true,
		"": false, "version=": false, "version=22": false, "version=2\n": false, "version=2;x": false, "x=1": false,
		"version=2:" + strings.Repeat("x", 64): false,
	}
	for value, want := range tests {
		if err := checkGitProtocol(value); (err == nil) != want {
			t.Errorf("%q gives %v", value, err)
		}
	}
}

func TestGitDefaultsToV2(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"git version 2.39.5\n": true, "git version 2.26.0": true, "git version 2.25.9": false, "git version 1.8.3.1": false,
		"git version 3.0.rc1": true, "git version 2.39.5 (Apple Git-154)": true, "": false, "git version x.y": false,
	}
	for version, want := range tests {
		if got := gitDefaultsToV2(version); got != want {
			t.Errorf("%q gives %v", version, got)
		}
	}
}

// FuzzHostRequest checks that whatever a process in the container asks for, only what was checked reaches the host.
func FuzzHostRequest(f *testing.F) {
	for _, seed := range []string{"git-upload-pack version=2\n", "git-upload-pack\n", "\n", "x y z\n", "git-upload-pack  \n", strings.Repeat("x", 300)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		line, err := readLine(bufio.NewReader(strings.NewReader(string(data))), maxHostLine)
		if err != nil {
			return
		}
		if len(line) > maxHostLine || strings.Contains(line, "\n") {
			t.Fatalf("line %q", line)
		}
		req, err := parseHostRequest(line)
		if err != nil {
			return
		}
		if req.parameter != "" && checkGitProtocol(req.parameter) != nil {
			t.Errorf("parameter %q", req.parameter)
		}
		if again, err := parseHostRequest(req.String()); err != nil || again != req {
			t.Errorf("%+v became %+v, %v", req, again, err)
		}
		if channel, err := req.channel(); err == nil && channel == "" {
			t.Error("a channel without a name")
		}
	})
}
