package session_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/internal/dockertest"
	"github.com/sketch-ide/sketch-ide/session"
)

// TestRemoteEngine has sessions on an engine of which nothing can be reached but its API, in the ways that the docker command knows.
func TestRemoteEngine(t *testing.T) {
	engine, image := dockertest.Start(t), dockertest.Busybox(t)
	engine.Load(image)
	tcp, certs := engine.TLS()
	ssh, bin := engine.SSH()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for _, way := range []struct {
		name string
		env  map[string]string
		all  bool // the pipe is the same in each, so that two of them show what goes through it
	}{
		{"tls", map[string]string{"DOCKER_HOST": tcp, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certs}, true},
		{"context", map[string]string{"DOCKER_CONTEXT": "far", "DOCKER_CONFIG": dockerContext(t, "far", tcp, certs)}, false},
		{"ssh", map[string]string{"DOCKER_HOST": ssh}, true},
		{"ssh with a socket", map[string]string{"DOCKER_HOST": ssh + strings.TrimPrefix(engine.Host(), "unix://")}, false},
	} {
		t.Run(way.name, func(t *testing.T) {
			w, repo := openRemote(t, image, way.env), newRepo(t)
			info, err := w.Start(t.Context(), session.StartOptions{Folder: repo}, func(p session.Progress) { t.Log(p.Message) })
			if err != nil {
				t.Fatal(err)
			}
			if got := w.output(info.Name, "git log --format=%s -1 && git fetch sketch-host && git status --porcelain"); !strings.HasPrefix(got, "first") {
				t.Errorf("git inside: %q", got)
			}
			if way.all {
				everyPart(t, w, info, []string{"httpd", "-f", "-p"})
			}
			if got := viaOpenSSH(t, info, way.env); got != "hello from inside\n" {
				t.Errorf("ssh %s: %q", info.Name, got)
			}
			if err := w.Remove(t.Context(), info.Name); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("rebooted", func(t *testing.T) {
		w, repo := openRemote(t, image, map[string]string{"DOCKER_HOST": tcp, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certs}), newRepo(t)
		info, err := w.Start(t.Context(), session.StartOptions{Folder: repo}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.output(info.Name, "echo kept >kept")
		engine.Restart()
		w.await(info.Name, "stop", func(i session.Info) bool { return i.State == session.Stopped })
		var told []string
		again, err := w.Start(t.Context(), session.StartOptions{Folder: repo}, func(p session.Progress) { told = append(told, p.Message) })
		if err != nil || again.Name != info.Name || w.output(info.Name, "cat kept") != "kept" {
			t.Errorf("after the engine's restart: %+v, %v", again, err)
		}
		if len(told) == 0 || told[0] != "Resuming "+info.Name+", which was stopped" {
			t.Errorf("told %q", told)
		}
	})
}

// viaOpenSSH enters the session as `ssh sketch-…` does, from a terminal that knows the engine's certificates and not that it is to be used.
func viaOpenSSH(t *testing.T, info session.Info, env map[string]string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ssh", "-F", info.SSHConfig, info.Name, "cat", "index.html")
	cmd.Env = os.Environ()
	for _, name := range []string{"DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"} {
		if env[name] != "" {
			cmd.Env = append(cmd.Env, name+"="+env[name])
		}
	}
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Error(err)
	}
	return string(out)
}

// openRemote opens a window whose engine is the one that env names.
func openRemote(t *testing.T, image string, env map[string]string) *window {
	t.Helper()
	w := open(t, newStore(t), func(c *session.Config) {
		c.Program = os.Getenv("SKETCH_IDE_AGENT") // a test binary is no proxy
		c.Connect = func(ctx context.Context) (session.Engine, error) {
			return container.Connect(ctx, container.Options{Getenv: func(name string) string { return env[name] }, Version: "test"})
		}
	})
	w.Configure(session.Settings{BaseImage: image})
	return w
}

// dockerContext makes what `docker context create` makes, and returns the folder for DOCKER_CONFIG.
func dockerContext(t *testing.T, name, host, certs string) string {
	t.Helper()
	dir := t.TempDir()
	sum := sha256.Sum256([]byte(name))
	meta, err := json.Marshal(map[string]any{"Name": name, "Endpoints": map[string]any{"docker": map[string]any{"Host": host}}})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{filepath.Join("meta", hex.EncodeToString(sum[:]), "meta.json"): string(meta)}
	for _, file := range []string{"ca.pem", "cert.pem", "key.pem"} {
		data, err := os.ReadFile(filepath.Join(certs, file))
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Join("tls", hex.EncodeToString(sum[:]), "docker", file)] = string(data)
	}
	for path, content := range files {
		path = filepath.Join(dir, "contexts", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
