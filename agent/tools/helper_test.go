package tools

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
)

// newSet makes the tools of a workspace of its own.
func newSet(t *testing.T, change ...func(*Config)) *Set {
	t.Helper()
	dir := tooltest.Dir(t, nil)
	cfg := Config{Dir: dir, State: t.TempDir()}
	for _, c := range change {
		c(&cfg)
	}
	s := New(cfg)
	t.Cleanup(s.Close)
	return s
}

func (s *Set) tool(t *testing.T, name string) Tool {
	t.Helper()
	for _, tool := range s.Tools(t.Context()) {
		if tool.Spec().Name == name {
			return tool
		}
	}
	t.Fatalf("no tool %s", name)
	return nil
}

// use calls a tool. The input is JSON, or a value to be made JSON.
func (s *Set) use(t *testing.T, name string, input any) Result {
	t.Helper()
	result, err := s.useWith(t.Context(), t, name, input)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return result
}

func (s *Set) useWith(ctx context.Context, t *testing.T, name string, input any) (Result, error) {
	t.Helper()
	raw, ok := input.(string)
	if !ok {
		data, err := json.Marshal(input)
		if err != nil {
			t.Fatal(err)
		}
		raw = string(data)
	}
	return s.tool(t, name).Run(ctx, Call{ID: "1", Input: json.RawMessage(raw)})
}

// check calls a tool and checks what comes, as want does.
func (s *Set) check(t *testing.T, name string, input any, failed bool, parts ...string) {
	t.Helper()
	result := s.use(t, name, input)
	result.want(t, failed, parts...)
}

// want checks a result: whether it failed, and parts of its text.
func (r *Result) want(t *testing.T, failed bool, parts ...string) {
	t.Helper()
	if r.Failed != failed {
		t.Errorf("failed %v: %s", r.Failed, r.Text)
	}
	for _, part := range parts {
		if !strings.Contains(r.Text, part) {
			t.Errorf("got %q, want %q in it", r.Text, part)
		}
	}
}
