package session_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sketch-ide/sketch-ide/session"
)

// npmDir is where the node servers are inside.
const npmDir = "/opt/devservers"

// installNode brings Node.js, vite and nodemon in, as npm installs them from the lock file.
func installNode(t *testing.T, w *window, info session.Info) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/devservers")); err != nil {
		t.Fatal(err)
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	r, archive := io.Pipe()
	go func() { archive.CloseWithError(writeTar(archive, dir)) }() // ends when the reader is closed
	defer r.Close()
	if err := w.Exec(t.Context(), info.Name, []string{"sh", "-c", "mkdir -p " + npmDir + " && tar -x -C " + npmDir}, session.Streams{In: r}); err != nil {
		t.Fatal(err)
	}
}

// writeTar archives dir, links included.
func writeTar(w io.Writer, dir string) error {
	archive := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		header, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		if header.Name, err = filepath.Rel(dir, path); err != nil {
			return err
		}
		if err := archive.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(archive, f)
		return errors.Join(err, f.Close())
	})
	return errors.Join(err, archive.Close())
}

// nodeArgv runs a JavaScript file with the Node.js that was brought in.
func nodeArgv(folder, script string, args ...string) []string {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	bin := npmDir + "/node_modules/node-linux-" + arch + "/bin"
	run := fmt.Sprintf(`cd %s/%s && PATH=%s:$PATH NO_COLOR=1 exec node "$@"`, npmDir, folder, bin)
	return append([]string{"sh", "-c", run, "sh", script}, args...)
}

// restartByTouch restarts a server by changing a file of its project. The old server is known to have ended when the line ended is written.
func (s *devServer) restartByTouch(v *visitors, times int, file, ended string) []death {
	s.t.Helper()
	var deaths []death
	for len(deaths) < times {
		d := death{from: time.Now()}
		// Written anew, as an editor saves a file.
		if err := s.Exec(s.t.Context(), s.Name, []string{"sh", "-c", fmt.Sprintf("echo '// %d' >>%s", len(deaths), file)}, session.Streams{}); err != nil {
			s.t.Fatal(err)
		}
		s.awaitLine(ended)
		d.to = time.Now()
		deaths = append(deaths, d)
		v.awaitVisit(s.t, d.to)
	}
	return deaths
}

func TestRestartsOfNodeServers(t *testing.T) {
	t.Parallel()
	w := open(t, newStore(t))
	info := w.start(newRepo(t))
	installNode(t, w, info)
	write := func(t *testing.T, path, content string) {
		t.Helper()
		in := strings.NewReader(content)
		if err := w.Exec(t.Context(), info.Name, []string{"sh", "-c", `mkdir -p "${1%/*}" && cat >"$1"`, "sh", npmDir + "/" + path}, session.Streams{In: in}); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("nodemon", func(t *testing.T) {
		t.Parallel()
		port := freePort(t)
		write(t, "nodemon/server.js", fmt.Sprintf("import http from 'node:http'\nhttp.createServer((q, r) => r.end('hello from inside')).listen(%d, '127.0.0.1')\n", port))
		write(t, "nodemon/package.json", `{"type": "module"}`)
		s := startServer(t, w, info, port, nodeArgv("nodemon", "../node_modules/nodemon/bin/nodemon.js", "server.js"))
		s.awaitLine("[nodemon] starting")
		v := newVisitors(t, s.forward.URL()+"/")
		s.judge(v, s.restartByTouch(v, 100, npmDir+"/nodemon/server.js", "[nodemon] starting"))
	})
	t.Run("vite", func(t *testing.T) {
		t.Parallel()
		port := freePort(t)
		write(t, "vite/index.html", "<!doctype html><title>hello from inside</title>\n")
		write(t, "vite/vite.config.js", fmt.Sprintf("export default { server: { port: %d, strictPort: true } }\n", port))
		s := startServer(t, w, info, port, nodeArgv("vite", "../node_modules/vite/bin/vite.js"))
		s.awaitLine("Local:") // by then it watches its configuration
		v := newVisitors(t, s.forward.URL()+"/")
		s.judge(v, s.restartByTouch(v, 100, npmDir+"/vite/vite.config.js", "server restarted"))
	})
}
