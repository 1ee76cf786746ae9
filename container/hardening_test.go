package container

import (
	"net/http"
	"testing"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	e := &Engine{memory: 4 << 30}
	h := e.hostConfig(Spec{})
	if h.Memory != 3<<30 || h.MemorySwap != h.Memory || h.CPUShares != 512 || h.NanoCPUs != 0 || *h.PidsLimit != 4096 || h.Sysctls != nil {
		t.Errorf("defaults are %+v", h.Resources)
	}
	h = e.hostConfig(Spec{Limits: Limits{Memory: -1, PIDs: -1, CPUs: -1, LogSize: -1}})
	if h.Memory != 0 || h.MemorySwap != 0 || *h.PidsLimit != -1 || h.NanoCPUs != 0 || h.LogConfig.Config != nil {
		t.Errorf("no limits are %+v", h.Resources)
	}
}

// TestLimitsOfBuilds: a Dockerfile's steps may come from a stranger's repository as well as what runs in a session.
func TestLimitsOfBuilds(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked <- q.Get("memory") + " " + q.Get("memswap") + " " + q.Get("cpushares")
		w.Write([]byte(`{"aux":{"ID":"sha256:1"}}`))
	})
	if _, err := e.build(t.Context(), buildSpec{dockerfile: "Dockerfile", write: singleFile([]byte("FROM a"))}, newReporter(nil)); err != nil {
		t.Fatal(err)
	}
	if got := <-asked; got != "6442450944 6442450944 512" {
		t.Errorf("limits are %s", got)
	}
}
