package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err  error
		kind jsonrpc.Kind
		hint string
	}{
		{context.Canceled, jsonrpc.KindCancelled, ""},
		{syscall.EIO, jsonrpc.KindInternal, ""},
		{syscall.ENOSPC, jsonrpc.KindInternal, "Make room on this machine's disk."},
		{tunnel.ErrNotForwarded, jsonrpc.KindNoPort, "sketch-ide ports, or sketch.ports, lists those that are."},
	}
	for _, tt := range tests {
		e := explain(fmt.Errorf("write record: %w", tt.err))
		if e.Kind != tt.kind || !strings.HasPrefix(e.Hint, tt.hint) || (e.Hint == "") != (tt.hint == "") {
			t.Errorf("%v: %s, %q", tt.err, e.Kind, e.Hint)
		}
	}
}

// What is missing but not needed stands out from what is there, and from what keeps a session from being made.
func TestDoctorsMarks(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	o := &options{std: streams{out: &out}}
	o.printChecks(jsonrpc.DoctorResult{Checks: []jsonrpc.DoctorCheck{
		{Name: "git", OK: true, Detail: "git version 2"}, {Name: "ssh", OK: true, Detail: "not found", Hint: "Install ssh."}, {Name: "engine", Detail: "none"},
	}})
	for _, want := range []string{"ok    git ", "note  ssh ", "hint: Install ssh.", "FAIL  engine "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
