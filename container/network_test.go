package container

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
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
