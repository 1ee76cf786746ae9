package container

import (
	"testing"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	e := &Engine{memory: 4 << 30}
	h := e.hostConfig(Spec{})
	if h.Memory != 3<<30 || *h.PidsLimit != 4096 || h.Sysctls != nil {
		t.Errorf("defaults are %+v", h.Resources)
	}
	h = e.hostConfig(Spec{Limits: Limits{Memory: -1, PIDs: -1, CPUs: -1, LogSize: -1}})
	if h.Memory != 0 || *h.PidsLimit != -1 || h.NanoCPUs != 0 || h.LogConfig.Config != nil {
		t.Errorf("no limits are %+v", h.Resources)
	}
}
