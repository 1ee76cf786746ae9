package container

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestContexts(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	sockets := "unix:///var/run/docker.sock unix://" + home + "/.docker/run/docker.sock unix://" + home + "/.colima/default/docker.sock unix://" + home + "/.orbstack/run/docker.sock"
	writeContext(t, home, "remote", `{"Name":"remote","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://there:1234","SkipTLSVerify":true}}}`)
	writeContext(t, home, "colima", `{"Name":"colima","Endpoints":{"docker":{"Host":"unix:///somewhere.sock"}}}`)
	writeContext(t, home, "kube", `{"Name":"kube","Endpoints":{"kubernetes":{}}}`)
	tests := []struct {
		name, current, env string
		want               string // hosts
		err                error
	}{
		{name: "none", want: sockets},
		{name: "default", current: "default", want: sockets},
		{name: "configured", current: "colima", want: "unix:///somewhere.sock"},
		{name: "environment", current: "colima", env: "remote", want: "tcp://there:1234"},
		{name: "without docker", current: "kube", err: ErrNoEngine},
		{name: "broken file", current: `"`, want: sockets},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			writeFile(t, filepath.Join(home, ".docker/config.json"), `{"auths":{},"currentContext":"`+tt.current+`"}`)
			list, err := endpoints(Options{Getenv: env(map[string]string{"HOME": home, "DOCKER_CONTEXT": tt.env})}.withDefaults())
			wantError(t, err, tt.err)
			var hosts []string
			for _, ep := range list {
				hosts = append(hosts, ep.host)
			}
			if got := strings.Join(hosts, " "); got != tt.want {
				t.Errorf("hosts are %s", got)
			}
			if tt.env == "remote" && (list[0].tls == nil || !list[0].tls.InsecureSkipVerify || list[0].tls.ServerName != "there") {
				t.Errorf("TLS is %+v", list[0].tls)
			}
		})
	}
}

// writeContext stores a context where the docker command does.
func writeContext(t *testing.T, home, name, meta string) {
	t.Helper()
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
	writeFile(t, filepath.Join(home, ".docker/contexts/meta", id, "meta.json"), meta)
}

func FuzzParseContextMeta(f *testing.F) {
	f.Add([]byte(`{"Name":"x","Endpoints":{"docker":{"Host":"unix:///x","SkipTLSVerify":false}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		meta, err := parseContextMeta(data)
		if err != nil {
			return
		}
		if ep, err := newEndpoint(meta.Host, "test", nil); err == nil && ep.address == "" {
			t.Errorf("endpoint is %+v", ep)
		}
	})
}
