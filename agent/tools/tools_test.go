package tools

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
	"github.com/sketch-ide/sketch-ide/ports"
)

func TestBash(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	s.check(t, "bash", `{"command":"echo hi"}`, false, "hi\n")
	s.check(t, "bash", `{"command":"true"}`, false, "[no output]")
	s.check(t, "bash", `{"command":"echo no; exit 3"}`, true, "no\n[exit status 3]")
	s.check(t, "bash", `{"command":"printf x; kill -KILL $$"}`, true, "x\n[ended by a signal: killed]")
	s.check(t, "bash", `{"command":" "}`, true, "empty")
	s.use(t, "bash", `{"command":"mkdir d; cd d"}`)
	s.check(t, "bash", `{"command":"pwd"}`, false, s.cfg.Dir+"/d\n")
	s.check(t, "bash", map[string]string{"command": strings.Repeat("x", 200_000)}, true, "Nothing was run: the command has more than 100 KiB")
	s.use(t, "bash", `{"command":"rmdir ../d; cd ."}`)
	s.check(t, "bash", `{"command":"true"}`, false, "working directory was gone")
}

func TestBashOutputIsBounded(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	r := s.use(t, "bash", `{"command":"head -c 10485760 /dev/urandom; seq 1 1000000"}`)
	if len(r.Text) > maxText || !utf8.ValidString(r.Text) {
		t.Errorf("%d bytes", len(r.Text))
	}
	r.want(t, false, "left out", "1000000\n[all of the output is in "+s.cfg.State)
}

func TestBashTimeLimits(t *testing.T) {
	t.Parallel()
	s := newSet(t, func(cfg *Config) {
		cfg.Limits = Limits{Fast: 300 * time.Millisecond, Slow: 600 * time.Millisecond, Background: 500 * time.Millisecond}
	})
	s.check(t, "bash", `{"command":"sleep 1000"}`, true, "[ended after 300ms; use slow")
	s.check(t, "bash", `{"command":"sleep 1000","slow":true}`, true, "ended after 600ms, the time for slow commands")
	s.check(t, "bash", `{"command":"sleep 1000","background":true}`, false, "job 1")
	s.check(t, "jobs", `{"action":"read","job":1,"wait":60}`, false, "ended by a signal: terminated (its time of 500ms was up)")
	tooltest.Eventually(t, "it is told", func() bool {
		note := s.JobsNote()
		return strings.Contains(note, "Background job 1 (sleep 1000) ended by a signal: terminated (its time")
	})
	if note := s.JobsNote(); note != "" {
		t.Errorf("told twice: %q", note)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	ctx, cancel := context.WithCancel(t.Context())
	result, err := s.tool(t, "bash").Run(ctx, Call{Input: json.RawMessage(`{"command":"echo begun; sleep 1000"}`), Output: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) || result.Text != "begun\n" {
		t.Errorf("%+v, %v", result, err)
	}
	for name, input := range map[string]string{
		"search": `{"pattern":"x"}`, "list_files": `{"pattern":"*"}`, "bash": `{"command":"sleep 1000"}`,
	} {
		if _, err := s.useWith(ctx, t, name, input); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	s.check(t, "jobs", `{"action":"list"}`, false, "There are no jobs")
	s.check(t, "bash", `{"command":"echo up; exec sleep 1000","background":true}`, false, "job 1")
	s.check(t, "bash", `{"command":"sleep 1000 & echo left"}`, false, "left\n[something that it started still runs, as job 2]")
	s.check(t, "jobs", `{"action":"list"}`, false, "job 1: runs for ", "job 2: still runs, left")
	tooltest.Eventually(t, "output", func() bool {
		return strings.HasPrefix(s.use(t, "jobs", `{"action":"read","job":1}`).Text, "up\n[job 1: runs")
	})
	s.check(t, "jobs", `{"action":"kill","job":1}`, false, "terminated")
	s.check(t, "jobs", `{"action":"kill","job":2}`, false, "has ended")
	s.check(t, "jobs", `{"action":"kill","job":7}`, true, "Job 7: no such job", "job 1:")
	s.check(t, "jobs", `{"action":"read"}`, true, "no such job")
	if note := s.JobsNote(); note != "" {
		t.Errorf("told of what was killed: %q", note)
	}
}

func TestFileTools(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	r := s.use(t, "patch", `{"path":"a/b.go","hunks":[{"op":"overwrite","new":"package b\n\nvar X = 1\n"}]}`)
	r.want(t, false, "Made a/b.go: 3 lines added, 0 removed.")
	if !strings.Contains(r.Diff, "+var X = 1\n") {
		t.Errorf("diff %q", r.Diff)
	}
	s.check(t, "patch", `{"path":"a/b.go","hunks":[{"op":"replace","old":"X = 1","new":"X = 2"},{"op":"append","new":"var Y = 3\n"}]}`, false, "2 lines added, 1 removed")
	s.check(t, "read_file", `{"path":"a/b.go","line":3}`, false, "     3\tvar X = 2\n     4\tvar Y = 3\n")
	s.check(t, "search", `{"pattern":"Y ="}`, false, "a/b.go:4:var Y = 3\n")
	s.check(t, "list_files", `{"pattern":"**/*.go"}`, false, "a/b.go\n")
	s.check(t, "list_files", `{}`, false, "a/\n")
	s.check(t, "list_files", ``, false, "a/\n")
	s.check(t, "read_file", `{"path":"nope"}`, true, "does not exist")
	s.check(t, "patch", `{"path":"a/b.go","hunks":[{"op":"replace","old":"X = 9","new":""}]}`, true, "was not changed: old is not in the file")
}

func TestSchemaViolations(t *testing.T) {
	t.Parallel()
	s := newSet(t, func(cfg *Config) {
		cfg.Ask = func(context.Context, string, []string) (string, error) { return "", nil }
		cfg.Ports = func(context.Context) (ports.Snapshot, error) { return ports.Snapshot{}, nil }
	})
	for _, test := range []struct{ tool, input, want string }{
		{"bash", `{}`, `missing properties: ["command"]`},
		{"bash", `{"command":5}`, "command"},
		{"bash", `{"command":"true","timeout":5}`, "timeout"},
		{"bash", `[]`, "object"},
		{"bash", `"true"`, "object"},
		{"bash", `{"command":`, "no JSON"},
		{"bash", `{"command":"` + strings.Repeat("x", maxInput) + `"}`, "more than 8 MiB"},
		{"patch", `{"path":"x","hunks":[{"op":"move","new":""}]}`, "move"},
		{"patch", `{"path":"x","hunks":"y"}`, "hunks"},
		{"read_file", `{"path":"x","line":"1"}`, "line"},
		{"read_file", `{"path":"x","line":1.5}`, "line"},
		{"read_file", `{"path":"x","line":1e300}`, "line"},
		{"jobs", `{"action":"restart"}`, "restart"},
		{"todo", `{"items":[{"id":"1","text":"x","status":"later"}]}`, "later"},
		{"ports", `{"x":1}`, "x"},
		{"done", `null`, "summary"},
	} {
		s.check(t, test.tool, test.input, true, "Nothing was done: the input does not fit the schema of "+test.tool, test.want)
	}
}

func TestTitles(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	for _, test := range []struct{ tool, input, want string }{
		{"bash", `{"command":"go test ./...\n  # all"}`, "go test ./... # all"},
		{"bash", `{"command":"` + strings.Repeat("é", 500) + `"}`, strings.Repeat("é", maxTitle-1) + "…"},
		{"bash", `{"comm`, "bash"},
		{"bash", `{}`, "bash"},
		{"bash", ``, "bash"},
		{"jobs", `{"action":"kill","job":3}`, "kill job 3"},
		{"search", `{"pattern":"a.b"}`, "a.b"},
		{"todo", `{"items":[{"id":"1","text":"first","status":"done"},{"id":"2","text":"second","status":"active"}]}`, "second"},
		{"todo", `{"items":[{"id":"1","text":"first","status":"done"}]}`, "1 of 1 done"},
	} {
		if got := s.tool(t, test.tool).Title(json.RawMessage(test.input)); got != test.want {
			t.Errorf("%s %s: %q", test.tool, test.input, got)
		}
	}
}

func TestTodo(t *testing.T) {
	t.Parallel()
	var plan []TodoItem
	s := newSet(t, func(cfg *Config) { cfg.Todo = func(items []TodoItem) { plan = items } })
	s.check(t, "todo", `{"items":[{"id":"a","text":" one ","status":"done"},{"id":"b","text":"two","status":"active"}]}`, false, "Noted: two.")
	if len(plan) != 2 || plan[0] != (TodoItem{"a", "one", "done"}) {
		t.Errorf("plan %+v", plan)
	}
	for input, want := range map[string]string{
		`[{"id":"a","text":"x","status":"active"},{"id":"b","text":"y","status":"active"}]`:                               "more than one item is active",
		`[{"id":"a","text":"x","status":"pending"},{"id":"a","text":"y","status":"pending"}]`:                             `two items have the id \"a\"`,
		`[{"id":"","text":"x","status":"pending"}]`:                                                                       "short id",
		"[" + strings.Repeat(`{"id":"a","text":"x","status":"pending"},`, 100) + `{"id":"b","text":"x","status":"done"}]`: "more than 100 items",
	} {
		s.check(t, "todo", `{"items":`+input+`}`, true, "The plan was not changed: ", strings.ReplaceAll(want, `\"`, `"`))
	}
	if len(plan) != 2 {
		t.Errorf("plan %+v", plan)
	}
	s.check(t, "todo", `{"items":[]}`, false, "0 of 0")
}

func TestAsk(t *testing.T) {
	t.Parallel()
	s := newSet(t, func(cfg *Config) {
		cfg.Ask = func(ctx context.Context, question string, options []string) (string, error) {
			if question == "wait" {
				<-ctx.Done()
				return "", ctx.Err()
			}
			if question == "gone" {
				return "", errors.New("nobody is there")
			}
			return question + strings.Join(options, "|"), nil
		}
	})
	s.check(t, "ask", `{"question":"Which? ","options":[" a ","b"]}`, false, "The user answers: Which?a|b")
	s.check(t, "ask", `{"question":"gone"}`, true, "There is no answer: nobody is there. Decide yourself")
	s.check(t, "ask", `{"question":"x","options":["a"]}`, true, "2 to 10 options")
	s.check(t, "ask", `{"question":"x","options":["a",""]}`, true, "1 to 200 bytes")
	s.check(t, "ask", `{"question":" "}`, true, "Nothing was asked")
	ctx, cancel := context.WithCancel(t.Context())
	defer context.AfterFunc(ctx, func() {})()
	cancel()
	if _, err := s.useWith(ctx, t, "ask", `{"question":"wait"}`); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, tool := range newSet(t).Tools(t.Context()) {
		if name := tool.Spec().Name; name == "ask" || name == "ports" {
			t.Errorf("there is %s, and nothing behind it", name)
		}
	}
}

func TestPorts(t *testing.T) {
	t.Parallel()
	snapshot := ports.Snapshot{}
	s := newSet(t, func(cfg *Config) { cfg.Ports = func(context.Context) (ports.Snapshot, error) { return snapshot, nil } })
	s.check(t, "ports", ``, false, "Nothing listens")
	snapshot.Ports = []ports.Port{
		{Number: 3000, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}, Process: "node", PID: 7, Command: "node\x00 server.js"},
		{Number: 5432, Addresses: []netip.Addr{netip.MustParseAddr("0.0.0.0")}},
	}
	s.check(t, "ports", ``, false, "3000 on 127.0.0.1 ::1, node (pid 7): node", "5432 on 0.0.0.0\n")
}

func TestDone(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	if r := s.use(t, "done", `{"summary":"All is well."}`); !r.EndTurn || r.Failed || r.Text != "All is well." {
		t.Errorf("%+v", r)
	}
	if r := s.use(t, "done", `{"summary":" "}`); r.EndTurn || !r.Failed {
		t.Errorf("%+v", r)
	}
}

type wild struct{ Tool }

func (wild) Spec() Spec { return Spec{Name: "wild"} }

func (wild) Run(_ context.Context, call Call) (Result, error) {
	call.Output("x") // nobody gave one
	if len(call.Input) > 0 {
		panic("wild")
	}
	return Result{Text: strings.Repeat("é\xff\n", 100_000), Diff: strings.Repeat("+é\n", 100_000), Images: make([]Image, 50)}, nil
}

func TestResultsAreBounded(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	tool := s.bounded(wild{})
	r, err := tool.Run(t.Context(), Call{})
	if err != nil || len(r.Text) > maxText || !utf8.ValidString(r.Text) || len(r.Diff) > maxDiff+10 || !utf8.ValidString(r.Diff) || len(r.Images) != maxImages {
		t.Errorf("%d, %d, %d, %v", len(r.Text), len(r.Diff), len(r.Images), err)
	}
	r, err = tool.Run(t.Context(), Call{Input: json.RawMessage("1")})
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, true, "The tool wild failed by a fault of its own")
}

func TestGuidance(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text := Guidance(dir); text != "" {
		t.Errorf("none, yet %q", text)
	}
	write("AGENTS.md", "Use tabs.\n")
	write("CLAUDE.md", "Use tabs.\n") // a copy
	write(".cursorrules", "Be \xffterse\x00.")
	write(".github/copilot-instructions.md", strings.Repeat("long ", 20_000))
	write(".cursor/rules/go.mdc", "Wrap errors.")
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "GEMINI.md")); err != nil {
		t.Fatal(err)
	}
	text := Guidance(dir)
	for _, want := range []string{"## AGENTS.md\n\nUse tabs.\n\n", "## .cursorrules\n\nBe terse.\n\n", "(cut here: read the rest)", "## .cursor/rules/go.mdc\n\nWrap errors."} {
		if !strings.Contains(text, want) {
			t.Errorf("%.200q, want %q", text, want)
		}
	}
	if strings.Contains(text, "CLAUDE.md") || len(text) > maxGuidance || strings.Contains(text, "GEMINI") {
		t.Errorf("%d bytes: %.300q", len(text), text)
	}
}
