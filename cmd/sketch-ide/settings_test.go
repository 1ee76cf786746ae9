package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/devcontainer"
	"github.com/sketch-ide/sketch-ide/session"
)

func TestContainerSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, json string
		want       session.ContainerSettings
		wrong      string // what the error says; "" = none
	}{
		{name: "none", json: `{}`},
		{name: "nulls", json: `{"mounts": null, "envForward": null, "cpus": null, "memory": null, "pids": null, "network": null}`},
		{
			name: "all",
			json: `{"mounts": ["type=bind,source=/srv/data,target=/data,readonly", {"type": "volume", "source": "cache", "target": "/cache"}],
				"envForward": ["TOKEN"], "cpus": 1.5, "memory": "4g", "pids": 500, "network": "none"}`,
			want: session.ContainerSettings{
				Mounts: []devcontainer.Mount{
					{Type: "bind", Source: "/srv/data", Target: "/data", ReadOnly: true}, {Type: "volume", Source: "cache", Target: "/cache"},
				},
				EnvForward: []string{"TOKEN"}, CPUs: 1.5, Memory: 4 << 30, PIDs: 500, Network: container.NetworkNone,
			},
		},
		{name: "bytes", json: `{"memory": 536870912}`, want: session.ContainerSettings{Memory: 512 << 20}},
		{name: "no limits", json: `{"memory": -1, "pids": -1}`, want: session.ContainerSettings{Memory: -1, PIDs: -1}},
		{name: "long unit", json: `{"memory": "512 MiB"}`, want: session.ContainerSettings{Memory: 512 << 20}},
		{name: "misspelt network", json: `{"network": "nome"}`, wrong: `network: want "bridge" or "none"`},
		{name: "host network", json: `{"network": "host"}`, wrong: `network: want "bridge" or "none"`},
		{name: "little memory", json: `{"memory": "1k"}`, wrong: "memory: 1k is too little"},
		{name: "no size", json: `{"memory": "much"}`, wrong: "memory: want a size"},
		{name: "overflow", json: `{"memory": "99999999999999t"}`, wrong: "memory: want a size"},
		{name: "few processes", json: `{"pids": 1}`, wrong: "pids: want"},
		{name: "negative processors", json: `{"cpus": -1}`, wrong: "cpus: want"},
		{name: "text for a number", json: `{"cpus": "all"}`, wrong: "cpus: want"},
		{name: "value for a name", json: `{"envForward": ["A=1"]}`, wrong: `envForward: "A=1" is not`},
		{name: "half a mount", json: `{"mounts": ["type=bind,target=/x"]}`, wrong: "mounts[0]: a bind mount wants a source"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeSettings(json.RawMessage(tt.json))
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) || got.Container.Err == nil {
					t.Errorf("error is %v and a start's %v, want %q", err, got.Container.Err, tt.wrong)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got.Container, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("error %v, difference %s", err, diff)
			}
		})
	}
}

func TestFlagsAreSettings(t *testing.T) {
	t.Parallel()
	f := containerFlags{mounts: []string{"type=tmpfs,target=/scratch"}, env: []string{"A"}, memory: "1g", network: "none", cpus: 2, pids: 64}
	data, err := f.json()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeSettings(data)
	want := session.ContainerSettings{
		Mounts: []devcontainer.Mount{{Type: "tmpfs", Target: "/scratch"}}, EnvForward: []string{"A"},
		Memory: 1 << 30, Network: container.NetworkNone, CPUs: 2, PIDs: 64,
	}
	if diff := cmp.Diff(want, got.Container); err != nil || diff != "" {
		t.Errorf("error %v, difference %s", err, diff)
	}
}
