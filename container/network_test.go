package container

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// privateNetwork gives the test's engine a bridge of its own, which is removed with the test.
func privateNetwork(t *testing.T, e *Engine) {
	t.Helper()
	e.network = "sketch-ide-" + e.version
	t.Cleanup(func() {
		removeVersion(t, e, e.version)
		if _, err := e.RemoveNetwork(context.Background()); err != nil {
			t.Errorf("remove network: %v", err)
		}
	})
}

func TestSessionsCannotReachEachOther(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	privateNetwork(t, e)
	img := plainImage(t, e)
	server := session(t, e, img, func(s *Spec) {
		s.Files[0].Content = []byte("#!/bin/sh\nexec python3 -m http.server --bind 0.0.0.0 8000\n")
	})
	client := session(t, e, img, nil)
	probe := func(id, host string) string {
		return inside(t, e, id, "i=0; while [ $i -lt 100 ]; do i=$((i+1)); curl -s -m 2 -o /dev/null -w '%{http_code}' http://"+host+":8000/; [ $? = 7 ] || break; sleep 0.1; done")
	}
	if got := probe(server.ID, "127.0.0.1"); got != "200" {
		t.Fatalf("the server answers itself %q", got)
	}
	if got := probe(client.ID, server.Address.String()); strings.Contains(got, "200") {
		t.Errorf("a sibling got %q", got)
	}
}

func TestNetworkThatIsRemovedComesBack(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	privateNetwork(t, e)
	c := session(t, e, plainImage(t, e), nil)
	if removed, err := e.RemoveNetwork(t.Context()); removed || err != nil {
		t.Errorf("a network in use: removed %v, %v", removed, err)
	}
	if err := e.Stop(t.Context(), c.ID, 0); err != nil {
		t.Fatal(err)
	}
	found, err := e.networks(t.Context())
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if err := e.api.NetworkRemove(t.Context(), found[0].ID); err != nil { // as docker network prune does
		t.Fatal(err)
	}
	c, err = e.Start(t.Context(), c.ID)
	if err != nil || !c.Address.IsValid() {
		t.Errorf("start without its network: %+v, %v", c, err)
	}
}

// secondNetwork makes another network of the bridge's name, and returns its id. It is asked for without the client, which has the engine look for the name first; that look is what
// two processes pass in the same moment.
func secondNetwork(t *testing.T, e *Engine) string {
	t.Helper()
	conn, err := e.api.Dialer()(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body, err := json.Marshal(map[string]any{"Name": e.network, "Labels": map[string]string{LabelKind: KindNetwork}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://engine/v1.40/networks/create", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if err := request.Write(conn); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var made network.CreateResponse
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || made.ID == "" {
		t.Fatalf("create a second network: %s, %v", response.Status, err)
	}
	return made.ID
}

// TestNetworkMadeTwice: two processes that make the bridge in the same moment leave two of its name, which the engine
// then refuses as ambiguous.
func TestNetworkMadeTwice(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	privateNetwork(t, e)
	img := plainImage(t, e)
	old := session(t, e, img, nil)

	extra := secondNetwork(t, e)
	if c := session(t, e, img, nil); !c.Address.IsValid() {
		t.Errorf("start beside a second network: %+v", c)
	}
	if found, err := e.networks(t.Context()); err != nil || len(found) != 1 || found[0].ID == extra {
		t.Errorf("networks are %v, %v", found, err)
	}

	extra = secondNetwork(t, e)
	if err := e.api.NetworkConnect(t.Context(), extra, old.ID, nil); err != nil { // so that it cannot be removed
		t.Fatal(err)
	}
	c := session(t, e, img, nil)
	if err := e.Stop(t.Context(), c.ID, 0); err != nil {
		t.Fatal(err)
	}
	if c, err := e.Start(t.Context(), c.ID); err != nil || !c.Address.IsValid() {
		t.Errorf("start again beside a second network in use: %+v, %v", c, err)
	}
	if found, err := e.networks(t.Context()); err != nil || len(found) != 2 {
		t.Errorf("networks are %v, %v", found, err)
	}
}

// TestNetworkKnownByName: containers of earlier versions know their network by its name.
func TestNetworkKnownByName(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	privateNetwork(t, e)
	if _, err := e.ensureNetwork(t.Context()); err != nil {
		t.Fatal(err)
	}
	config := e.config(Spec{Name: e.version + "-by-name"})
	config.Image, config.Entrypoint = plainImage(t, e).ID, []string{"sleep", "60"}
	made, err := e.api.ContainerCreate(t.Context(), config, &container.HostConfig{NetworkMode: container.NetworkMode(e.network)}, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	secondNetwork(t, e)
	if c, err := e.Start(t.Context(), made.ID); err != nil || !c.Address.IsValid() {
		t.Errorf("start: %+v, %v", c, err)
	}
}

func TestVolumesAreFoundAgain(t *testing.T) {
	t.Parallel()
	e := testEngine(t)
	name := "sketch-ide-test-" + e.version
	c := session(t, e, plainImage(t, e), func(s *Spec) {
		s.Labels = map[string]string{LabelFolder: "/the/folder"}
		s.Mounts = []Mount{{Type: "volume", Source: name, Target: "/data", Ours: true}}
	})
	if got := inside(t, e, c.ID, "echo kept >/data/file; cat /data/file"); got != "kept" {
		t.Errorf("inside: %q", got)
	}
	found, err := e.Volumes(t.Context())
	i := slices.IndexFunc(found, func(v StoredVolume) bool { return v.Name == name })
	if err != nil || i < 0 || found[i].Folder != "/the/folder" || found[i].Owner != e.owner || time.Since(found[i].Created) > time.Hour {
		t.Fatalf("%+v, %v", found, err)
	}
	wantError(t, e.RemoveVolume(t.Context(), name), ErrInUse)
	if err := e.Remove(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if err := e.RemoveVolume(t.Context(), name); err != nil {
		t.Error(err)
	}
	wantError(t, e.RemoveVolume(t.Context(), name), ErrNotFound)
}
