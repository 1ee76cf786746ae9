package review

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/tooltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// repository has a module with three packages, of which one has an old fault of each kind, and one imports another.
var repository = map[string]string{
	"go.mod":           "module example.com/m\n\ngo 1.24\n",
	"add/add.go":       "package add\n\n// Add adds.\nfunc Add(a, b int) int { return a + b }\n",
	"add/add_test.go":  "package add\n\nimport \"testing\"\n\nfunc TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Error(\"wrong sum\")\n\t}\n}\n",
	"use/use.go":       "package use\n\nimport \"example.com/m/add\"\n\n// Two is two.\nvar Two = add.Add(1, 1)\n",
	"use/use_test.go":  "package use\n\nimport \"testing\"\n\nfunc TestTwo(t *testing.T) {\n\tt.Run(\"sub\", func(t *testing.T) {\n\t\tif Two != 2 {\n\t\t\tt.Fatal(\"two is\", Two)\n\t\t}\n\t})\n}\n",
	"old/old.go":       "package old\n\nimport \"fmt\"\n\n// Old is old.\nfunc Old() { fmt.Printf(\"%d\\n\", \"x\") }\n",
	"old/old_test.go":  "package old\n\nimport \"testing\"\n\nfunc TestOld(t *testing.T) { t.Error(\"always\") }\n",
	"testdata/x/x.go":  "package x\nfunc  X() {}\n",
	"README.md":        "hello\n",
	"other/go.mod":     "module example.com/other\n\ngo 1.24\n",
	"other/other.go":   "package other\n",
	"nomodule/main.go": "package main\n\nfunc main() {}\n",
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=T", "-c", "user.email=t@example.com"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// clone makes the repository, committed, with the base where sessions have it.
func clone(t *testing.T) string {
	t.Helper()
	dir := tooltest.Dir(t, repository)
	git(t, dir, "init", "-q")
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-qm", "base")
	git(t, dir, "update-ref", "refs/sketch/base", "HEAD")
	return dir
}

func edit(t *testing.T, dir, name, old, after string) {
	t.Helper()
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), old) {
		t.Fatalf("%s: %v", name, err)
	}
	tooltest.Write(t, dir, map[string]string{name: strings.Replace(string(data), old, after, 1)})
}

func check(t *testing.T, dir string, wants ...string) (string, int) {
	t.Helper()
	text, findings, err := Run(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	if trees := git(t, dir, "worktree", "list"); strings.Count(trees, "\n") != 1 {
		t.Errorf("worktrees are left: %s", trees)
	}
	return text, findings
}

func TestReview(t *testing.T) {
	t.Parallel()
	dir := clone(t)
	if text, n := check(t, dir, "No Go file has changed"); n != 0 {
		t.Errorf("%d: %s", n, text)
	}
	// A clean change, committed.
	edit(t, dir, "add/add.go", "a + b", "b + a")
	git(t, dir, "commit", "-qam", "swap")
	if text, n := check(t, dir, "1 Go files have changed", "clean; 3 tests passed.", "Nothing new was found."); n != 0 {
		t.Errorf("%d: %s", n, text)
	}
	// One that breaks the tests of another package, with faults of its own, and an old package that was faulty before.
	edit(t, dir, "add/add.go", "return b + a", "return b + a + 1")
	edit(t, dir, "add/add.go", "func Add", "func  Add")
	edit(t, dir, "old/old.go", "// Old is old.\n", "// Old is old.\n//\n// Very.\n")
	tooltest.Write(t, dir, map[string]string{"add/more.go": "package add\n\nimport \"fmt\"\n\n// More says it.\nfunc More() { fmt.Printf(\"%d\\n\", \"more\") }\n"})
	text, n := check(t, dir,
		"3 Go files have changed", "gofmt: not formatted: add/add.go\n", "go vet: 1 new problems:\n  add/more.go:6", "NEW FAILURE example.com/m/add TestAdd\n", "wrong sum",
		"NEW FAILURE example.com/m/use TestTwo/sub\n", "two is 3", "failed before the change too: example.com/m/old TestOld")
	if n != 4 {
		t.Errorf("%d findings:\n%s", n, text)
	}
	if strings.Contains(text, "testdata") || strings.Contains(text, "NEW FAILURE example.com/m/use TestTwo\n") {
		t.Errorf("said too much:\n%s", text)
	}
}

func TestReviewOfWhatDoesNotBuild(t *testing.T) {
	t.Parallel()
	dir := clone(t)
	edit(t, dir, "add/add.go", "a + b", "a + c")
	tooltest.Write(t, dir, map[string]string{"new/new.go": "package new\n", "other/other.go": "package other\n\nvar X int\n", "other/x/testdata/y.go": "package"})
	text, n := check(t, dir, "undefined: c", "NEW FAILURE example.com/m/add\n", "NEW FAILURE example.com/m/use\n", "module other: go vet and gopls")
	if n != 3 {
		t.Errorf("%d findings:\n%s", n, text)
	}
}

func TestReviewFails(t *testing.T) {
	t.Parallel()
	dir := clone(t)
	bin := t.TempDir()
	for _, name := range []string{"git", "go"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(bin, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, name, name)); err != nil {
			t.Fatal(err)
		}
	}
	env := func(path string) []string { return append(slices.Clone(os.Environ()), "PATH="+path) }
	empty := t.TempDir()
	git(t, empty, "init", "-q")
	for want, cfg := range map[string]Config{
		"no git here":               {Dir: dir, Env: env(bin)},
		"is in no git repository":   {Dir: "/"},
		`"nope" is no commit`:       {Dir: dir, Base: "nope"},
		`"--output=x" is no commit`: {Dir: dir, Base: "--output=x"},
		"no commit yet":             {Dir: empty},
	} {
		if _, _, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cfg := Config{Dir: dir, Tell: func(what string) {
		if strings.HasPrefix(what, "go ") {
			cancel()
		}
	}}
	edit(t, dir, "add/add.go", "a + b", "b + a")
	if _, _, err := Run(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestParseProblems(t *testing.T) {
	t.Parallel()
	got := parseProblems("/x", "# m/a\n./a.go:3:2: one\nvet: b/b.go:1:1: two\n/x/c.go:1:2-5: three\nexit status 1\n\tat a.go:5\n")
	var keys []string
	for _, p := range got {
		keys = append(keys, p.key)
	}
	if want := []string{"a.go: one", "b/b.go: two", "c.go: three"}; !slices.Equal(keys, want) {
		t.Errorf("%q", keys)
	}
	if n := fresh(got[:1], append(got, got[0])); len(n) != 3 {
		t.Errorf("%+v", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"Action":"fail","Package":"p","Test":"T/x"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\na.go:1:2: x")
	f.Fuzz(func(_ *testing.T, text string) {
		parseTests(text).compare(results{})
		parseProblems("/x", text)
		importers("/x", text, []string{"./a"})
	})
}
