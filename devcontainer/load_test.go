package devcontainer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const whole = `// For VS Code and for us.
{
	"name": "app ${localWorkspaceFolderBasename}", /* shown */
	"image": "debian:bookworm",
	"build": {
		"dockerfile": "../Dockerfile",
		"context": "..",
		"args": {"VARIANT": "3.12"},
		"target": "dev",
		"cacheFrom": "registry.example/app:cache",
	},
	"dockerComposeFile": ["a.yml", "b.yml"],
	"features": {"ghcr.io/devcontainers/features/go:1": {"version": "1.26"}, "./local": {}},
	"containerEnv": {"A": "1"},
	"remoteEnv": {"PATH": "${containerEnv:PATH}:/x", "GONE": null},
	"remoteUser": "dev",
	"containerUser": "root",
	"mounts": [
		"type=bind,source=${localWorkspaceFolder}/data,target=/data,readonly,consistency=cached",
		{"type": "volume", "source": "cache", "target": "/cache"},
	],
	"workspaceFolder": "/src/",
	"workspaceMount": "source=${localWorkspaceFolder},target=/src,type=bind",
	"forwardPorts": [3000, "db:5432"],
	"portsAttributes": {"9000": {"label": "z"}, /* wide */ "3000-4000": {"onAutoForward": "silent",}},
	"appPort": [8000, "9000:9000"],
	"initializeCommand": "make init",
	"onCreateCommand": ["make", "create"],
	"postCreateCommand": {"z": "make z", "a": ["make", "a"], "none": null},
	"postStartCommand": "",
	"init": true,
	"privileged": false,
	"capAdd": ["SYS_PTRACE"],
	"securityOpt": ["seccomp=unconfined"],
	"runArgs": ["--device", "/dev/kvm"],
	"customizations": {"vscode": {"extensions": ["golang.go"]}},
	"somethingNew": [[[]]],
} // the end`

func TestLoadReadsEveryKey(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := write(t, "\ufeff"+whole, root, ".devcontainer/devcontainer.json")
	got, err := Load(path)
	must(t, err)
	want := Config{
		Path: path, Root: root,
		Name: "app ${localWorkspaceFolderBasename}", Image: "debian:bookworm",
		Build: Build{
			Dockerfile: "Dockerfile", Context: ".", Args: map[string]string{"VARIANT": "3.12"}, Target: "dev",
			CacheFrom: []string{"registry.example/app:cache"},
		},
		ComposeFiles: []string{"a.yml", "b.yml"},
		Features:     []string{"ghcr.io/devcontainers/features/go:1", "./local"},
		ContainerEnv: map[string]string{"A": "1"},
		RemoteEnv:    map[string]*string{"PATH": new("${containerEnv:PATH}:/x"), "GONE": nil},
		RemoteUser:   "dev", ContainerUser: "root",
		Mounts: []Mount{
			{Type: "bind", Source: "${localWorkspaceFolder}/data", Target: "/data", ReadOnly: true, Options: []string{"consistency=cached"}},
			{Type: "volume", Source: "cache", Target: "/cache"},
		},
		WorkspaceFolder:   "/src",
		WorkspaceMount:    &Mount{Type: "bind", Source: "${localWorkspaceFolder}", Target: "/src"},
		AppPorts:          []string{"8000", "9000:9000"},
		InitializeCommand: []Command{{Shell: "make init"}},
		OnCreateCommand:   []Command{{Args: []string{"make", "create"}}},
		PostCreateCommand: []Command{{Name: "z", Shell: "make z"}, {Name: "a", Args: []string{"make", "a"}}},
		Init:              true, CapAdd: []string{"SYS_PTRACE"}, SecurityOpt: []string{"seccomp=unconfined"}, RunArgs: []string{"--device", "/dev/kvm"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Error(diff)
	}
	wantPorts := `{"forwardPorts":[3000,"db:5432"],"portsAttributes":{"9000":{"label":"z"},"3000-4000":{"onAutoForward":"silent"}}}`
	if string(got.Ports()) != wantPorts {
		t.Errorf("got ports %s, want %s", got.Ports(), wantPorts)
	}
}

func TestLoadOfNothing(t *testing.T) {
	t.Parallel()
	path := write(t, "{}", t.TempDir(), ".devcontainer.json")
	got, err := Load(path)
	must(t, err)
	if diff := cmp.Diff(Config{Path: path, Root: filepath.Dir(path)}, got, cmp.AllowUnexported(Config{})); diff != "" {
		t.Error(diff)
	}
	if string(got.Ports()) != "{}" {
		t.Errorf("got ports %s, want an empty object", got.Ports())
	}
}

// TestLoadNamesWhatIsWrong: each line of want is "line:column: key: problem"; the image proves that other keys are not lost.
func TestLoadNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"a number for a string", `"name": 7`, "2:9: name: want a string, got a number"},
		{"columns are characters", `"containerEnv": {"Ä": "ü", "B": true}`, "2:33: containerEnv.B: want a string, got a boolean"},
		{"names beside paths", `"containerEnv": {"A=B": "x"}`, `2:25: containerEnv["A=B"]: not the name of a variable`},
		{"null in an array", `"capAdd": ["A", null]`, "2:17: capAdd[1]: want a string, got null"},
		{"a string for an array", `"runArgs": "--rm"`, "2:12: runArgs: want an array of strings, got a string"},
		{"a string for a boolean", `"init": "yes"`, "2:9: init: want true or false, got a string"},
		{"an array for an object", `"features": []`, "2:13: features: want an object, got an array"},
		{"relative inside", `"workspaceFolder": "src"`, "2:20: workspaceFolder: want an absolute path"},
		{"NUL", `"remoteUser": "a\u0000b"`, "2:15: remoteUser: has a NUL character"},
		{"twice", `"name": "a", "name": "b"`, "2:14: name: set twice; this one counts"},
		{"port", `"appPort": [70000, 80]`, "2:13: appPort[0]: 70000 is not a port (1 to 65535)"},
		{"command", `"postCreateCommand": 1`, "2:22: postCreateCommand: want a string, an array of strings or an object of those, got a number"},
		{"command in an object", `"postCreateCommand": {"a": {}}`, "2:28: postCreateCommand.a: want a string or an array of strings, got an object"},
		{"argument", `"postCreateCommand": ["a", 1]`, "2:28: postCreateCommand[1]: want a string, got a number"},
		{"mount without a target", `"mounts": ["type=volume"]`, "2:12: mounts[0]: want a target"},
		{"mount of a type", `"mounts": [{"type": "npipe", "target": "/a"}]`, `2:12: mounts[0]: type "npipe": want bind, volume or tmpfs`},
		{"mount's key", `"mounts": [{"type": 1, "target": "/a"}]`, "2:21: mounts[0].type: want a string, got a number"},
		{"mount's field", `"mounts": ["bind"]`, `2:12: mounts[0]: "bind": want key=value`},
		{"mount's readonly", `"mounts": ["target=/a,ro=maybe"]`, `2:12: mounts[0]: ro: want true or false`},
		{"bind of nothing", `"mounts": ["type=bind,target=/a"]`, `2:12: mounts[0]: a bind mount wants a source`},
		{"build of nothing", `"build": {"target": "x"}`, "2:10: build.dockerfile: want the path of a Dockerfile, got nothing"},
		{"build of a string", `"build": "Dockerfile"`, "2:10: build: want an object, got a string"},
		{"several", `"name": 1, "init": 2`, "2:9: name: want a string, got a number\n2:20: init: want true or false, got a number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "{\n"+tt.text+",\n\"image\": \"kept\"}", t.TempDir(), ".devcontainer.json")
			c, err := Load(path)
			if err == nil {
				t.Fatal("got no error")
			}
			if got := strings.ReplaceAll(err.Error(), path+":", ""); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if _, ok := errors.AsType[*KeyError](err); !ok {
				t.Errorf("%T is no KeyError", err)
			}
			if c.Image != "kept" {
				t.Errorf("the image was lost: %+v", c)
			}
		})
	}
}

func TestLoadRefusesWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"empty", "", "2:1: parsing value: unexpected EOF"},
		{"array", "\n []", "2:2: want an object, got an array"},
		{"missing value", "{\n  \"a\": \n}", "3:1: invalid character '}' at start of value"},
		{"characters, not bytes", `{"ä": ?}`, "1:7: invalid character '?' at start of value"},
		{"endless comment", "{} /*", "1:4: parsing comment: unexpected EOF"},
		{"deep", strings.Repeat("[", 1<<19), "1:101: nested more than 100 deep"},
		{"deep behind strings and comments", `/* " */ // "` + "\n" + `{"\"[[": "//", "a": ` + strings.Repeat("[", 200), "2:120: nested more than 100 deep"},
		{"many", `{"a": [` + strings.Repeat("1,", 1<<18), "1:40005: more than 20000 values"},
		{"long", `{"a": x` + strings.Repeat("y", 5000) + `}`, "1:7: invalid literal: x" + strings.Repeat("y", 200-len("invalid literal: x"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, tt.text, t.TempDir(), ".devcontainer.json")
			c, err := Load(path)
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Fatalf("got %v, want a SyntaxError", err)
			}
			if want := path + ":" + tt.want; err.Error() != want {
				t.Errorf("got  %q\nwant %q", err, want)
			}
			if diff := cmp.Diff(Config{Path: path, Root: filepath.Dir(path)}, c, cmp.AllowUnexported(Config{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadBoundsErrorsAndEntries(t *testing.T) {
	t.Parallel()
	path := write(t, `{"capAdd": [`+strings.Repeat("1,", maxEntries+1)+`]}`, t.TempDir(), ".devcontainer.json")
	_, err := Load(path)
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxErrors+1 || !strings.HasSuffix(lines[maxErrors], "and 951 more errors") {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
	}
	if want := "more than 1000 entries; the rest is left out"; !strings.Contains(lines[0], want) {
		t.Errorf("got %q first, want %q", lines[0], want)
	}
}

func TestLoadReadsOnlyBoundedFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(path string) error
		want error
	}{
		{"too large", func(path string) error { return os.WriteFile(path, make([]byte, MaxSize+1), 0o644) }, ErrTooLarge},
		{"pipe", func(path string) error { return syscall.Mkfifo(path, 0o644) }, ErrNotRegular},
		{"folder", func(path string) error { return os.Mkdir(path, 0o755) }, ErrNotRegular},
		{"endless", func(path string) error { return os.Symlink("/dev/zero", path) }, ErrOutside},
		{"nothing", func(string) error { return nil }, os.ErrNotExist},
		{"dangling", func(path string) error { return os.Symlink("nowhere", path) }, ErrOutside},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), dotFile)
			must(t, tt.make(path))
			if _, err := Load(path); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestLoadTakesTheLargestFile(t *testing.T) {
	t.Parallel()
	text := `{"image": "x"}`
	path := write(t, text+strings.Repeat(" ", MaxSize-len(text)), t.TempDir(), dotFile)
	if c, err := Load(path); err != nil || c.Image != "x" {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestRootOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/r/.devcontainer/devcontainer.json":   "/r",
		"/r/.devcontainer/a/devcontainer.json": "/r",
		"/r/.devcontainer.json":                "/r",
		"/r/.devcontainer/.devcontainer.json":  "/r/.devcontainer",
		"/r/other.json":                        "/r",
		"/devcontainer.json":                   "/",
	} {
		if got, err := rootOf(path); got != want || err != nil {
			t.Errorf("rootOf(%q) = %q, %v; want %q", path, got, err, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{ // short ones: the engine spends its time on making long ones shorter
		`{"build":{"dockerfile":"../../x"}}`,
		`{"mounts":["type=bind,\"source=/a,b\",target=/c"]}`,
		`{"mounts":[{"target":"/c"},]}`,
		"{} // \u2028",
		`{"dockerFile":"/etc/passwd","context":"a"}`,
		`{"build":{"dockerfile":"${localWorkspaceFolder}"}}`,
		`{"portsAttributes":{"a":[1,],},/**/}`,
		`{"postCreateCommand":{"a":["b"]}}`,
		`{"appPort":[1,"2:3"],"init":true}`,
		`{"remoteEnv":{"A":null,"B":"${localEnv:C:d}"}}`,
		`{"features":{"a":{}},"capAdd":["b"]}`,
	} {
		f.Add([]byte(seed))
	}
	root := f.TempDir()
	v := Variables{LocalWorkspaceFolder: "/r", ContainerWorkspaceFolder: "/w", DevcontainerID: "id"}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decode(Config{Path: filepath.Join(root, folderName, fileName), Root: root}, data)
		for _, p := range []string{c.Build.Dockerfile, c.Build.Context} {
			if p != "" && !filepath.IsLocal(p) {
				t.Errorf("%q leaves the repository", p)
			}
		}
		if !jsonObject(c.Ports()) {
			t.Errorf("ports are no object: %s", c.Ports())
		}
		if err != nil && len(err.Error()) > (maxErrors+1)*2000 {
			t.Errorf("error of %d bytes", len(err.Error()))
		}
		_ = fmt.Sprint(c.Expand(v))
	})
}
