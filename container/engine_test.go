package container

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func env(pairs map[string]string) func(string) string {
	return func(key string) string { return pairs[key] }
}

func TestConnectFindsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	tests := []struct {
		name string
		opts Options
		want error
		says string
	}{
		{
			name: "no socket",
			opts: Options{Host: "unix://" + dir + "/none.sock"},
			want: ErrNoEngine,
			says: "none.sock (the configured engine address): no such file or directory",
		},
		{
			name: "DOCKER_HOST",
			opts: Options{Getenv: env(map[string]string{"DOCKER_HOST": "unix://" + dir + "/none.sock"})},
			want: ErrNoEngine,
			says: "(DOCKER_HOST)",
		},
		{
			name: "missing context",
			opts: Options{Getenv: env(map[string]string{"DOCKER_CONTEXT": "gone", "HOME": dir})},
			want: ErrNoEngine,
			says: `docker context "gone", chosen by DOCKER_CONTEXT, does not exist`,
		},
		{
			name: "ssh",
			opts: Options{Getenv: env(map[string]string{"DOCKER_HOST": "ssh://me@127.0.0.1:1"})},
			want: ErrNoEngine,
			says: "ssh to 127.0.0.1: ssh: connect to host 127.0.0.1 port 1: Connection refused",
		},
		{
			name: "ssh with a password",
			opts: Options{Getenv: env(map[string]string{"DOCKER_HOST": "ssh://me:secret@there"})},
			want: ErrHostUnsupported,
			says: "use keys",
		},
		{
			name: "nonsense",
			opts: Options{Host: "nonsense", Origin: "sketch.dockerHost"},
			want: ErrHostUnsupported,
			says: "sketch.dockerHost",
		},
		{
			name: "accepts and is silent",
			opts: Options{Host: "tcp://" + silent.Addr().String(), Timeout: 50 * time.Millisecond},
			want: ErrNoEngine,
			says: "deadline exceeded",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Connect(t.Context(), tt.opts)
			wantError(t, err, tt.want)
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error says %q, want %q", err, tt.says)
			}
		})
	}
}

func TestConnectDenied(t *testing.T) {
	t.Parallel()
	err := noEngine([]Attempt{
		{Host: "unix:///a", Err: fs.ErrNotExist},
		{Host: "unix:///b", Err: plainDialError(&net.OpError{Op: "dial", Err: fs.ErrPermission})},
	})
	wantError(t, err, ErrEngineDenied)
	if found, ok := errors.AsType[*NoEngineError](err); !ok || !strings.Contains(found.Hint(), "docker group") {
		t.Errorf("error is %#v", err)
	}
}

func TestConnectHonoursItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Connect(ctx, Options{})
	wantError(t, err, context.Canceled)
}

func TestRealEngine(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	if e.Host() == "" || e.Origin() == "" || e.Release() == "" || strings.Contains(e.Arch(), "_") || e.memory <= 0 {
		t.Errorf("engine is %+v", e)
	}
	if err := e.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// calls is every method that asks the engine for something.
var calls = map[string]func(ctx context.Context, e *Engine) error{
	"EnsureImage": func(ctx context.Context, e *Engine) error {
		_, err := e.EnsureImage(ctx, ImageSpec{Dir: ".", BaseImage: "x"}, nil)
		return err
	},
	"pull": func(ctx context.Context, e *Engine) error { return e.pull(ctx, "x", newReporter(nil)) },
	"build": func(ctx context.Context, e *Engine) error {
		_, err := e.build(ctx, buildSpec{write: singleFile(nil)}, newReporter(nil))
		return err
	},
	"probe":       func(ctx context.Context, e *Engine) error { _, err := e.runProbe(ctx, "x", ""); return err },
	"Create":      func(ctx context.Context, e *Engine) error { _, err := e.Create(ctx, Spec{Name: "x"}); return err },
	"Start":       func(ctx context.Context, e *Engine) error { _, err := e.Start(ctx, "x"); return err },
	"Stop":        func(ctx context.Context, e *Engine) error { return e.Stop(ctx, "x", 0) },
	"Kill":        func(ctx context.Context, e *Engine) error { return e.Kill(ctx, "x") },
	"Pause":       func(ctx context.Context, e *Engine) error { return e.Pause(ctx, "x") },
	"Unpause":     func(ctx context.Context, e *Engine) error { return e.Unpause(ctx, "x") },
	"Remove":      func(ctx context.Context, e *Engine) error { return e.Remove(ctx, "x") },
	"Inspect":     func(ctx context.Context, e *Engine) error { _, err := e.Inspect(ctx, "x"); return err },
	"List":        func(ctx context.Context, e *Engine) error { _, err := e.List(ctx); return err },
	"Logs":        func(ctx context.Context, e *Engine) error { _, err := e.Logs(ctx, "x", 1); return err },
	"ExecConn":    func(ctx context.Context, e *Engine) error { _, err := e.ExecConn(ctx, "x", []string{"y"}); return err },
	"ReadFile":    func(ctx context.Context, e *Engine) error { _, err := e.ReadFile(ctx, "x", "/y", 1); return err },
	"CopyIn":      func(ctx context.Context, e *Engine) error { return e.CopyIn(ctx, "x", []File{{Path: "/y"}}) },
	"Images":      func(ctx context.Context, e *Engine) error { _, err := e.Images(ctx); return err },
	"RemoveImage": func(ctx context.Context, e *Engine) error { return e.RemoveImage(ctx, "x") },
	"Probes":      func(ctx context.Context, e *Engine) error { _, err := e.Probes(ctx, 0); return err },
	"DiskUsage":   func(ctx context.Context, e *Engine) error { _, err := e.DiskUsage(ctx); return err },
}

func TestEngineDies(t *testing.T) {
	t.Parallel()
	e := fakeEngine(t, hangUp)
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			wantError(t, call(t.Context(), e), ErrEngineLost)
		})
	}
}

func TestEngineHangs(t *testing.T) {
	t.Parallel()
	e := fakeEngine(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			wantError(t, call(ctx, e), context.DeadlineExceeded)
		})
	}
}

func TestEngineRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		handle http.HandlerFunc
		call   string
		want   error
	}{
		{"name is taken", fail(http.StatusConflict, "in use by container"), "Create", ErrNameConflict},
		{"image is gone", fail(http.StatusNotFound, "No such image"), "Create", ErrNotFound},
		{"no such container", fail(http.StatusNotFound, "No such container"), "Start", ErrNotFound},
		{"port is taken", fail(http.StatusInternalServerError, "driver failed programming external connectivity on endpoint x"), "Start", ErrPortPublish},
		{"is paused", fail(http.StatusConflict, "Container x is paused"), "ExecConn", ErrNotRunning},
		{"is paused already", fail(http.StatusConflict, "already paused"), "Pause", ErrNotRunning},
		{"is being removed", fail(http.StatusConflict, "removal of container x is already in progress"), "Remove", nil},
		{"is removed", fail(http.StatusNotFound, "No such container"), "Remove", nil},
		{"no such file", fail(http.StatusNotFound, "Could not find the file"), "ReadFile", ErrNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := calls[tt.call](t.Context(), fakeEngine(t, tt.handle))
			wantError(t, err, tt.want)
			if err != nil && strings.Contains(err.Error(), "Error response") {
				t.Errorf("error says %q", err)
			}
		})
	}
}

func TestEngineHangsInTheMiddleOfAnExec(t *testing.T) {
	t.Parallel()
	e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/start") {
			<-r.Context().Done()
			return
		}
		w.Write([]byte(`{"Id":"x"}`))
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantError(t, calls["ExecConn"](ctx, e), context.DeadlineExceeded)
}
