package jsonrpc

import "testing"

func TestResultText(t *testing.T) {
	files := []DiffFile{{Path: "a.go"}, {Path: "b.go"}}
	checks := []DoctorCheck{{Name: "git", OK: true, Detail: "2.39"}, {Name: "Docker engine", Detail: "does not answer", Hint: "Start Docker."}}
	for _, test := range []struct {
		result any
		want   string
	}{
		{SessionsResult{}, "no sessions"},
		{SessionsResult{Sessions: []Session{{Name: "sketch-a", State: SessionStopped}}}, "sketch-a (stopped)"},
		{PortsResult{}, "no ports are open"},
		{Port{Number: 3000, HostPort: 3000, Status: PortForwarded, Process: "a\nb"}, "3000 (a b)"},
		{SSHResult{Command: "ssh sketch-a"}, "ssh sketch-a"},
		{DiffResult{Branch: "sketch/a"}, "sketch/a: no changes"},
		{DiffResult{Branch: "sketch/a", Files: files}, "sketch/a: a.go, b.go"},
		{MergeResult{Branch: "sketch/a", Conflicts: []string{"a.go"}}, "sketch/a would conflict in a.go"},
		{MergeResult{Branch: "sketch/a", Into: "main", How: "merge", Commits: 2, Done: true}, "merge of sketch/a: main now has its commits (2)"},
		{Status{Version: "0.1.0"}, "sketch-ide 0.1.0, no engine. no sessions"},
		{DoctorResult{OK: true, Checks: checks[:1]}, "everything that sketch-ide needs is here"},
		{DoctorResult{Checks: checks}, "Docker engine: does not answer. Start Docker."},
		{PromptResult{}, "done"},
	} {
		if got := resultText(test.result); got != test.want {
			t.Errorf("resultText(%+v) = %q, want %q", test.result, got, test.want)
		}
	}
}
