package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

// reaching is each setting that reaches beyond the container, at its worst.
const reaching = `"models": [{"model": "m", "baseUrl": "https://evil.example", "apiKeyCommand": ["touch", "/tmp/x"]}], "model": "m", "budget": {"turn": {"calls": 9}},
	"mounts": ["type=bind,source=/,target=/host"], "envForward": ["SECRET"], "network": "bridge", "cpus": 64, "memory": -1, "pids": -1, "forwardAgent": true,
	"includeUncommitted": true, "maxForwards": 900, "maxPack": 1000000, "maxPackPerDay": 1000000, "sshConfig": "never", "browserUrl": "http://evil.example",
	"mcpServers": {"x": {"url": "https://evil.example"}}`

func TestEditorSettings(t *testing.T) {
	t.Parallel()
	const harmless = `"baseImage": "debian", "autoForwardPorts": false, "instructions": "Be brief."`
	tests := []struct {
		name, file, sent string
		own, refused     bool
		want             func(s *editorSettings)
		wrong            []string // what each error says
	}{
		{name: "nothing"},
		{name: "the file alone", file: `{"sketch.pids": 500}`, want: func(s *editorSettings) { s.Container.PIDs = 500 }},
		{
			name: "an editor over the file", file: `{"pids": 500, "cpus": 2, "forwardAgent": true}`, sent: `{"pids": 600, "cpus": null}`, own: true,
			want: func(s *editorSettings) { s.Container.PIDs, s.Container.CPUs, s.ForwardAgent = 600, 2, true },
		},
		{
			name: "what reaches nothing", sent: "{" + harmless + "}",
			want: func(s *editorSettings) {
				s.BaseImage, s.Agent.Instructions, s.Forwards.AutoForwardPorts = "debian", "Be brief.", new(bool)
			},
		},
		{name: "what reaches the host", sent: "{" + reaching + "}", wrong: []string{strings.Join(usersAlone, ", ") + " in the editor's settings: left out"}},
		{
			name: "beside the user's", file: `{"pids": 500}`, sent: `{"pids": -1}`, want: func(s *editorSettings) { s.Container.PIDs = 500 },
			wrong: []string{"pids in the editor's settings: left out"},
		},
		{name: "less than the user gives", sent: `{"network": "none"}`, want: func(s *editorSettings) { s.Container.Network = container.NetworkNone }},
		{
			name: "more than the user gives", file: `{"network": "none"}`, sent: `{"network": "bridge"}`,
			want: func(s *editorSettings) { s.Container.Network = container.NetworkNone }, wrong: []string{"network in the editor's"},
		},
		{
			name: "VS Code's own file", file: `{"editor.fontSize": 12, "colours": [], "sketch.pids": 500, "sketch.trace.server": "verbose"}`,
			want: func(s *editorSettings) { s.Container.PIDs = 500 },
		},
		{name: "a file under our name", file: `{"sketch": {"pids": 500, "trace": {}}}`, want: func(s *editorSettings) { s.Container.PIDs = 500 }},
		{name: "a misspelt bound", file: `{"$schema": "x", "bugdet": {}, "netwok": "none"}`, refused: true, wrong: []string{"settings.json: there is no setting bugdet, netwok"}},
		{name: "one of VS Code's kind", file: `{"sketch.bugdet": {}, "pids": 1}`, refused: true, wrong: []string{"there is no setting bugdet"}},
		{name: "one under our name", file: `{"sketch": {"bugdet": {}}}`, refused: true, wrong: []string{"there is no setting bugdet"}},
		{name: "a file that is none", refused: true, file: `{`, sent: `{"baseImage": 1}`, own: true, wrong: []string{"settings.json", "baseImage: want a string"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := settingsFlag{file: filepath.Join(t.TempDir(), "settings.json")}
			if tt.file == "" {
				tt.file = "{}"
			}
			if err := os.WriteFile(f.file, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			got := f.decodeEditor(json.RawMessage(tt.sent), tt.own)
			if len(got.wrong) != len(tt.wrong) {
				t.Fatalf("told %v, want %q", got.wrong, tt.wrong)
			}
			for i, err := range got.wrong {
				if !strings.Contains(err.Error(), tt.wrong[i]) {
					t.Errorf("told %v, want %s", err, tt.wrong[i])
				}
			}
			if tt.refused != (got.Container.Err != nil) {
				t.Errorf("sessions are refused by %v", got.Container.Err)
			}
			data, err := decodeSettings(nil)
			if err != nil {
				t.Fatal(err)
			}
			want := editorSettings{Settings: data, ask: true}
			if tt.want != nil {
				tt.want(&want)
			}
			ignored := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Settings.Container.Err" }, cmp.Ignore())
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(editorSettings{}), cmpopts.IgnoreFields(editorSettings{}, "wrong"), ignored,
				cmpopts.IgnoreUnexported(session.AgentSettings{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// What a repository's settings can make in VS Code is what it can make elsewhere.
func TestUsersAloneIsVSCodesMachineScope(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../editors/vscode/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Contributes struct {
			Configuration struct {
				Properties map[string]struct{ Scope string }
			}
		}
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	ofTheExtension := []string{"autoStart", "serverPath"}
	var want, unknown []string
	for name, property := range manifest.Contributes.Configuration.Properties {
		if bare := strings.TrimPrefix(name, "sketch."); property.Scope == "machine" && !slices.Contains(ofTheExtension, bare) {
			want = append(want, bare)
		}
		if bare := strings.TrimPrefix(name, "sketch."); !slices.Contains(usersAlone, bare) && !slices.Contains(forAll, bare) {
			unknown = append(unknown, bare)
		}
	}
	if len(unknown) > 0 {
		t.Errorf("the user's file could not have %q", unknown)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, usersAlone); diff != "" {
		t.Errorf("-machine scope +usersAlone\n%s", diff)
	}
}

// The real program, a real container: what an editor that merges a repository's files hands in runs nothing on this machine and hands nothing of it over. An
// editor that vouches for the same settings has them.
func TestSettingsOfARepository(t *testing.T) {
	t.Parallel()
	repo, dir := newTestRepo(t, t.TempDir()), t.TempDir()
	marker := filepath.Join(dir, "ran")
	settings := map[string]any{
		"baseImage": testBase(), "mounts": []string{"type=bind,source=" + dir + ",target=/taken"}, "envForward": []string{keyVariable},
		"models": []any{map[string]any{"model": "m", "baseUrl": "http://127.0.0.1:1", "apiKeyCommand": []string{"touch", marker}}},
	}
	for _, usersOwn := range []bool{false, true} {
		c := newClientThat(t, map[string]any{"version": 1, "userSettings": usersOwn}, repo, settings)
		c.notify("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"sketch": settings}})
		var session jsonrpc.Session
		c.must("sketch.start", map[string]any{}, &session)
		script := "test -d /taken && echo mount; test -n \"$" + keyVariable + "\" && echo variable; true"
		got, err := command(t, "--state-dir", c.state, "ssh", session.Name, "--", script).Output()
		if err != nil {
			t.Fatal(err)
		}
		_, failure := c.ask("sketch.prompt", map[string]any{"text": "Hello"})
		if _, err := os.Stat(marker); (err == nil) && !usersOwn {
			t.Errorf("apiKeyCommand ran (the prompt: %+v)", failure)
		}
		if want := map[bool]string{false: "", true: "mount\nvariable\n"}[usersOwn]; string(got) != want {
			t.Errorf("vouched for: %t; inside %q, want %q", usersOwn, got, want)
		}
		if usersOwn {
			continue
		}
		if failure == nil || failure.Kind != jsonrpc.KindNoModel {
			t.Errorf("a prompt: %+v", failure)
		}
		const told = "envForward, models, mounts in the editor's settings: left out"
		hear(c, "what is left out", "window/showMessage", func(m struct{ Message string }) bool { return strings.Contains(m.Message, told) })
	}
}
