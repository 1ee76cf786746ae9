package session

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/devcontainer"
	"github.com/sketch-ide/sketch-ide/repo"
)

func granted(c devcontainer.Config, s ContainerSettings) plan {
	r := &repo.Repo{Root: c.Root}
	p := plan{workspace: workspaceOf(c, "/workspaces/app")}
	p.box = newBox(s, r, p.workspace)
	p.grant(c, r, s)
	return p
}

func TestGrantGivesNothingOfTheHost(t *testing.T) {
	t.Setenv("SKETCH_TEST_NAMED", "named")
	t.Setenv("SKETCH_TEST_OTHER", "other")
	text := func(s string) *string { return &s }
	root := filepath.Join(t.TempDir(), "app")
	p := granted(devcontainer.Config{
		Root:  root,
		Build: devcontainer.Build{Dockerfile: "Dockerfile", Context: ".", Args: map[string]string{"A": "${localEnv:SKETCH_TEST_NAMED}"}},
		ContainerEnv: map[string]string{
			"ONE": "${localEnv:SKETCH_TEST_NAMED}", "TWO": "${localEnv:SKETCH_TEST_OTHER:fallback}", "THREE": "plain", "MINE": "theirs", "A B": "x",
		},
		RemoteEnv: map[string]*string{"PATH": text("${containerEnv:PATH}:/more"), "UNSET": nil, "ZERO": text("a\x00b")},
		Mounts: []devcontainer.Mount{
			{Type: "bind", Source: root, Target: "/src"},
			{Type: "bind", Source: "/var/run/docker.sock", Target: "/s"},
			{Type: "volume", Source: "other project_db", Target: "/db"},
			{Type: "volume", Target: "/mine"},
		},
	}, ContainerSettings{
		EnvForward: []string{"SKETCH_TEST_NAMED"},
		Mounts:     []devcontainer.Mount{{Type: "volume", Source: "user's", Target: "/mine/"}},
	})
	if a := p.image.BuildArgs["A"]; a != "" {
		t.Errorf("an image's history would have %q", a)
	}
	if diff := cmp.Diff(map[string]string{"THREE": "plain", "MINE": "theirs"}, p.box.containerEnv); diff != "" {
		t.Errorf("the container's description: %s", diff)
	}
	env := p.box.sessionEnv(container.Image{Env: []string{"PATH=/image"}})
	want := map[string]string{"SKETCH_TEST_NAMED": "named", "ONE": "named", "TWO": "fallback", "PATH": "/image:/more"}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("sessions' variables: %s", diff)
	}
	if diff := cmp.Diff([]string{"UNSET"}, p.box.unset); diff != "" {
		t.Error(diff)
	}
	if len(p.box.mounts) != 2 || p.box.mounts[0].Source != "user's" || !strings.HasSuffix(p.box.mounts[1].Source, "-other-project_db") || !p.box.mounts[1].Ours {
		t.Errorf("mounts: %v", p.box.mounts)
	}
	told := strings.Join(p.refused, "\n")
	for _, want := range []string{root, "docker.sock", "SKETCH_TEST_OTHER", `"A B"`, `"ZERO"`} {
		if !strings.Contains(told, want) {
			t.Errorf("%s is not told: %s", want, told)
		}
	}
	other := granted(devcontainer.Config{Root: root + "2", Mounts: []devcontainer.Mount{{Type: "volume", Source: "other project_db", Target: "/db"}}}, ContainerSettings{})
	if other.box.mounts[0].Source == p.box.mounts[1].Source {
		t.Error("two repositories share a volume")
	}
}

func TestWorkspaceOf(t *testing.T) {
	t.Parallel()
	mount := func(target string) *devcontainer.Mount { return &devcontainer.Mount{Type: "bind", Target: target} }
	for _, tt := range []struct {
		name   string
		config devcontainer.Config
		want   string
	}{
		{"nothing said", devcontainer.Config{}, "/workspaces/app"},
		{"a folder", devcontainer.Config{WorkspaceFolder: "/home/dev/project"}, "/home/dev/project"},
		{"a short one", devcontainer.Config{WorkspaceFolder: "/app/"}, "/app"},
		{"all homes", devcontainer.Config{WorkspaceFolder: "/home"}, "/workspaces/app"},
		{"the usual one", devcontainer.Config{WorkspaceFolder: "/workspaces/${localWorkspaceFolderBasename}"}, "/workspaces/app"},
		{"below the usual one", devcontainer.Config{WorkspaceFolder: "/workspaces/app/backend"}, "/workspaces/app"},
		{"below a mount", devcontainer.Config{WorkspaceFolder: "/srv/app/backend", WorkspaceMount: mount("/srv/app")}, "/srv/app"},
		{"the root", devcontainer.Config{WorkspaceFolder: "/"}, "/workspaces/app"},
		{"a folder of the system", devcontainer.Config{WorkspaceFolder: "/etc/app"}, "/workspaces/app"},
		{"ours", devcontainer.Config{WorkspaceFolder: "/opt/sketch-ide/run"}, "/workspaces/app"},
		{"out of it", devcontainer.Config{WorkspaceFolder: "/srv/../proc/x"}, "/workspaces/app"},
		{"unknown variable", devcontainer.Config{WorkspaceFolder: "${containerEnv:HOME}/x"}, "/workspaces/app"},
	} {
		tt.config.Root = "/home/me/app"
		if got := workspaceOf(tt.config, "/workspaces/app"); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
