package container

import (
	"context"
	"strings"
	"testing"
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
