package container

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// baseImage is an image with a shell, git and a package manager that the engine has.
func baseImage() string {
	return cmp.Or(os.Getenv("SKETCH_IDE_BASE_IMAGE"), "sketch-ide/debian:bookworm")
}

// testEngine connects to the real engine. Everything that the test makes carries its own version label, and is removed
// with the test.
func testEngine(t *testing.T) *Engine {
	t.Helper()
	version := "test-" + strings.ToLower(rand.Text())
	e, err := Connect(t.Context(), Options{Version: version, Owner: "owner-" + version, Timeout: time.Minute})
	if err != nil {
		t.Fatalf("a Docker engine is needed: make setup (%v)", err)
	}
	t.Cleanup(func() {
		removeVersion(t, e, version)
		e.Close()
	})
	return e
}

func removeVersion(t *testing.T, e *Engine, version string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	mine := filters.NewArgs(filters.Arg("label", LabelVersion+"="+version))
	containers, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: mine})
	if err != nil {
		t.Errorf("list containers: %v", err)
	}
	for _, c := range containers {
		if err := e.Remove(ctx, c.ID); err != nil {
			t.Errorf("remove container: %v", err)
		}
	}
	images, err := e.api.ImageList(ctx, image.ListOptions{Filters: mine})
	if err != nil {
		t.Errorf("list images: %v", err)
	}
	for n, i := range append(images, images...) { // twice: one goes after those that stand upon it
		_, err := e.api.ImageRemove(ctx, i.ID, image.RemoveOptions{Force: true, PruneChildren: true})
		if err != nil && n >= len(images) && !errors.Is(kindOf(err), ErrNotFound) { // gone with another one, as its parent
			t.Errorf("remove image: %v", err)
		}
	}
}

// repository is a folder with files and a name of its own.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "test-"+strings.ToLower(rand.Text()))
	for name, content := range files {
		writeFile(t, filepath.Join(dir, name), content)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// recorder collects progress.
type recorder struct{ all []Progress }

func (r *recorder) report(p Progress) { r.all = append(r.all, p) }

func (r *recorder) has(stage Stage, text string) bool {
	return slices.ContainsFunc(r.all, func(p Progress) bool { return p.Stage == stage && strings.Contains(p.Message, text) })
}

func ensure(t *testing.T, e *Engine, spec ImageSpec) (Image, *recorder) {
	t.Helper()
	var r recorder
	img, err := e.EnsureImage(t.Context(), spec, r.report)
	if err != nil {
		t.Fatalf("EnsureImage: %v\n%v", err, r.all)
	}
	return img, &r
}

// session starts a container whose agent is a script.
func session(t *testing.T, e *Engine, img Image, change func(*Spec)) Container {
	t.Helper()
	spec := Spec{
		Name:  "sketch-test-" + strings.ToLower(rand.Text()),
		Image: img,
		Files: []File{{Path: AgentPath, Mode: 0o755, Content: []byte("#!/bin/sh\necho out; echo err >&2; exec sleep 1000\n")}},
	}
	if change != nil {
		change(&spec)
	}
	c, err := e.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = e.Start(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	return c
}

// inside runs a script in a container and returns what it prints.
func inside(t *testing.T, e *Engine, id, script string) string {
	t.Helper()
	conn, err := e.ExecConn(t.Context(), id, []string{"sh", "-c", "exec 2>&1; " + script})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// fakeEngine answers /info as an engine of 20.10 does, and everything else by handle, whose paths are without the
// version of the API.
func fakeEngine(t *testing.T, handle http.HandlerFunc) *Engine {
	t.Helper()
	version := regexp.MustCompile(`^/v1\.41`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Content-Type", "application/json")
		r.URL.Path = version.ReplaceAllString(r.URL.Path, "")
		switch r.URL.Path {
		case "/_ping":
		case "/info":
			io.WriteString(w, `{"OSType":"linux","Architecture":"x86_64","MemTotal":8589934592,"ServerVersion":"20.10.24"}`)
		default:
			io.Copy(io.Discard, r.Body) // only then does the server notice that the client hangs up
			handle(w, r)
		}
	}))
	e, err := Connect(t.Context(), Options{Host: "tcp://" + server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.Close()
		server.Close()
	})
	return e
}

// hangUp ends the connection without an answer, as an engine does that dies.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

func fail(status int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, `{"message":"`+message+`"}`)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

// plainImage is an image generated from the base.
func plainImage(t *testing.T, e *Engine) Image {
	t.Helper()
	img, _ := ensure(t, e, ImageSpec{Dir: repository(t, nil), BaseImage: baseImage()})
	return img
}
