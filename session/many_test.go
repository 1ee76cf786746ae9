package session_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/sketch-ide/sketch-ide/session"
)

// Ten sessions of one repository are started at once and run side by side: each has its own name, branch, files and host ports.
func TestTenSessionsOfOneRepository(t *testing.T) {
	t.Parallel()
	const many = 10
	w, repo := open(t, newStore(t)), newRepo(t)
	infos, errs := make([]session.Info, many), make([]error, many)
	var starts sync.WaitGroup
	for i := range many {
		starts.Go(func() { infos[i], errs[i] = w.Start(t.Context(), session.StartOptions{Folder: repo, New: true}, nil) })
	}
	starts.Wait()
	for i, info := range infos {
		if errs[i] != nil {
			t.Errorf("start %d: %v", i, errs[i])
			continue
		}
		t.Cleanup(func() { removeContainer(t, info.Container) })
	}
	if t.Failed() {
		t.FailNow()
	}
	port, hostPorts, branches := freePort(t), map[uint16]bool{}, map[string]bool{}
	for i, info := range infos {
		w.output(info.Name, fmt.Sprintf("echo page %d >index.html", i))
		w.serve(info.Name, "127.0.0.1", port) // in each the same port
	}
	for i, info := range infos {
		f := find(w.await(info.Name, "forward", forwarded(port)), port)
		if page := get(t, f.URL()+"/index.html"); page != fmt.Sprintf("page %d\n", i) {
			t.Errorf("%s at %s shows %q", info.Name, f.URL(), page)
		}
		hostPorts[f.HostPort], branches[info.Branch] = true, true
	}
	if len(hostPorts) != many || len(branches) != many {
		t.Errorf("host ports %v, branches %v", hostPorts, branches)
	}
}
