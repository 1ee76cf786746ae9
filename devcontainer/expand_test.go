package devcontainer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExpand(t *testing.T) {
	t.Parallel()
	env := map[string]string{"HOME": "/home/me", "EMPTY": "", "SLY": "${localWorkspaceFolder}"}
	v := Variables{
		LocalEnv:                 func(name string) (string, bool) { value, ok := env[name]; return value, ok },
		LocalWorkspaceFolder:     "/src/app",
		ContainerWorkspaceFolder: "/workspaces/inside",
		DevcontainerID:           "0abc",
	}
	tests := []struct{ name, text, want string }{
		{"none", "a $b {c}", "a $b {c}"},
		{"environment", "${localEnv:HOME}/x", "/home/me/x"},
		{"older name", "${env:HOME}", "/home/me"},
		{"unset", "<${localEnv:NONE}>", "<>"},
		{"default", "${localEnv:NONE:other}", "other"},
		{"default unused", "${localEnv:HOME:other}", "/home/me"},
		{"set to nothing", "<${localEnv:EMPTY:other}>", "<>"},
		{"default with colons", "${localEnv:NONE:http://a:1}", "http://a:1"},
		{"no name", "${localEnv} ${localEnv:}", "${localEnv} ${localEnv:}"},
		{"container's", "${containerEnv:PATH}:/x", "${containerEnv:PATH}:/x"},
		{"folders", "${localWorkspaceFolder} ${localWorkspaceFolderBasename} ${containerWorkspaceFolder} ${containerWorkspaceFolderBasename}", "/src/app app /workspaces/inside inside"},
		{"id", "v-${devcontainerId}", "v-0abc"},
		{"unknown", "${other} ${", "${other} ${"},
		{"once", "${localEnv:SLY}", "${localWorkspaceFolder}"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := v.Expand(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExpandLeavesAloneWhatIsUnknown(t *testing.T) {
	t.Parallel()
	text := "${localWorkspaceFolder} ${localWorkspaceFolderBasename} ${containerWorkspaceFolder} ${containerWorkspaceFolderBasename} ${devcontainerId}"
	if got := (Variables{}).Expand(text); got != text {
		t.Errorf("got %q", got)
	}
	if got := (Variables{}).Expand("<${localEnv:HOME}>"); got != "<>" {
		t.Errorf("got %q from no environment", got)
	}
}

func TestExpandConfig(t *testing.T) {
	t.Parallel()
	x := "${devcontainerId}"
	full := func(x string) Config {
		return Config{
			Name: x, Image: x, Build: Build{Dockerfile: "D", Context: ".", Args: map[string]string{"A": x}, Target: x, CacheFrom: []string{x}},
			ComposeFiles: []string{x}, Features: []string{"f"}, ContainerEnv: map[string]string{"A": x}, RemoteEnv: map[string]*string{"A": &x, "B": nil},
			RemoteUser: x, ContainerUser: x, Mounts: []Mount{{Source: x, Target: x, Options: []string{x}}}, WorkspaceFolder: "/w/" + x,
			WorkspaceMount: &Mount{Source: x}, AppPorts: []string{x}, InitializeCommand: []Command{{Shell: x}}, OnCreateCommand: []Command{{Args: []string{x}}},
			UpdateContentCommand: []Command{{Shell: x}}, PostCreateCommand: []Command{{Shell: x}}, PostStartCommand: []Command{{Shell: x}},
			PostAttachCommand: []Command{{Shell: x}}, CapAdd: []string{x}, SecurityOpt: []string{x}, RunArgs: []string{x},
		}
	}
	before := full(x)
	got := before.Expand(Variables{DevcontainerID: "id"})
	if diff := cmp.Diff(full("id"), got, cmp.AllowUnexported(Config{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(full(x), before, cmp.AllowUnexported(Config{})); diff != "" {
		t.Errorf("the original changed:\n%s", diff)
	}
}

func TestExpandKnowsTheWorkspaceFolder(t *testing.T) {
	t.Parallel()
	c := Config{WorkspaceFolder: "/w/${localWorkspaceFolderBasename}", Name: "${containerWorkspaceFolder}"}
	if got := c.Expand(Variables{LocalWorkspaceFolder: "/src/app"}).Name; got != "/w/app" {
		t.Errorf("got %q from workspaceFolder", got)
	}
	if got := c.Expand(Variables{ContainerWorkspaceFolder: "/given"}).Name; got != "/given" {
		t.Errorf("got %q from the variable", got)
	}
}

// The values are those of the specification's own algorithm in JavaScript.
func TestID(t *testing.T) {
	t.Parallel()
	a := ID(map[string]string{"devcontainer.local_folder": "/src/<app>", "devcontainer.config_file": "/src/app/.devcontainer.json"})
	if want := "0la1a11pd448jaj6r0q56gcgpvi0psmkee746frp3u20cfis5k48"; a != want {
		t.Errorf("got %s, want %s", a, want)
	}
	if ID(nil) != ID(map[string]string{}) || len(ID(nil)) != 52 {
		t.Errorf("got %q for no labels", ID(nil))
	}
}
