package devcontainer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, at, text string
		want           Build
	}{
		{name: "beside the file", at: ".devcontainer/devcontainer.json", text: `"build": {"dockerfile": "Dockerfile"}`, want: Build{Dockerfile: ".devcontainer/Dockerfile", Context: ".devcontainer"}},
		{name: "of a named folder", at: ".devcontainer/go/devcontainer.json", text: `"build": {"dockerfile": "../Dockerfile", "context": "../.."}`, want: Build{Dockerfile: ".devcontainer/Dockerfile", Context: "."}},
		{name: "of the root", at: ".devcontainer.json", text: `"build": {"dockerfile": "./a//b/../Dockerfile", "context": "a/"}`, want: Build{Dockerfile: "a/Dockerfile", Context: "a"}},
		{name: "legacy", at: ".devcontainer.json", text: `"context": "a", "dockerFile": "D"`, want: Build{Dockerfile: "D", Context: "a"}},
		{name: "legacy with arguments", at: ".devcontainer.json", text: `"dockerFile": "D", "build": {"args": {"A": "1"}}`, want: Build{Dockerfile: "D", Context: ".", Args: map[string]string{"A": "1"}}},
		{name: "new over legacy", at: ".devcontainer.json", text: `"build": {"dockerfile": "new"}, "dockerFile": "old"`, want: Build{Dockerfile: "new", Context: "."}},
		{name: "by a variable", at: ".devcontainer.json", text: `"build": {"dockerfile": "${localWorkspaceFolder}/D", "context": "${localWorkspaceFolder}"}`, want: Build{Dockerfile: "D", Context: "."}},
		{name: "null", at: ".devcontainer.json", text: `"build": null`},
		{name: "context without a Dockerfile", at: ".devcontainer.json", text: `"context": "a"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := Load(write(t, "{"+tt.text+"}", t.TempDir(), tt.at))
			must(t, err)
			if diff := cmp.Diff(tt.want, c.Build); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBuildPathsStayInTheRepository(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, path, problem string }{
		{"above", "../../Dockerfile", "path leads out of the repository"},
		{"above by detours", "a/../../../x", "path leads out of the repository"},
		{"absolute", "/etc/passwd", "path leads out of the repository"},
		{"beside", "${localWorkspaceFolder}-other/x", "path leads out of the repository"},
		{"by a variable", "${localWorkspaceFolder}/../x", "path leads out of the repository"},
		{"by a link", "link/Dockerfile", "path leads out of the repository by a symbolic link"},
		{"by a link to nothing", "dangling", "path leads out of the repository: its symbolic link leads nowhere"},
		{"by a link to nothing above", "dangling/Dockerfile", "path leads out of the repository: its symbolic link leads nowhere"},
		{"by the environment", "${localEnv:HOME}", "a path can have no variables but localWorkspaceFolder and localWorkspaceFolderBasename"},
		{"empty", "", "want a path, got an empty string"},
		{"repository", "..", "want a file, got the repository itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			path := write(t, `{"dockerFile": "`+tt.path+`", "image": "kept"}`, root, ".devcontainer/devcontainer.json")
			must(t, os.Symlink(t.TempDir(), filepath.Join(root, ".devcontainer/link")))
			must(t, os.Symlink("/nowhere/at/all", filepath.Join(root, ".devcontainer/dangling")))
			c, err := Load(path)
			if err == nil || !strings.HasSuffix(err.Error(), ": dockerFile: "+tt.problem) {
				t.Errorf("got %v, want %s", err, tt.problem)
			}
			if got, want := errors.Is(err, ErrOutside), strings.Contains(tt.problem, "leads out"); got != want {
				t.Errorf("ErrOutside: got %v, want %v", got, want)
			}
			if c.Build.Dockerfile != "" || c.Image != "kept" {
				t.Errorf("got %+v", c)
			}
		})
	}
}

func TestBuildPathsThroughLinksOfTheRepository(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, "FROM scratch", root, "real/Dockerfile")
	path := write(t, `{"build": {"dockerfile": "link/Dockerfile", "context": "${localWorkspaceFolder}/real"}}`, root, dotFile)
	must(t, os.Symlink(filepath.Join(root, "real"), filepath.Join(root, "link")))
	linked := filepath.Join(t.TempDir(), "repository")
	must(t, os.Symlink(root, linked))
	for _, path := range []string{path, filepath.Join(linked, dotFile)} {
		c, err := Load(path)
		must(t, err)
		if diff := cmp.Diff(Build{Dockerfile: "link/Dockerfile", Context: "real"}, c.Build); diff != "" {
			t.Error(diff)
		}
	}
}
