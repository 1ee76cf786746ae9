package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sketch-ide/sketch-ide/"

// allowed is the direction of the architecture: what each package may import of ours, and what from outside it must not.
var allowed = map[string]struct {
	ours  []string
	never []string
}{
	"acp":                    {ours: []string{"jsonrpc"}, never: []string{"github.com/docker/docker", "golang.org/x/crypto"}},
	"cmd/sketch-ide":         {ours: []string{"acp", "agent", "agent/agentbin", "agent/conversation", "container", "devcontainer", "gateway", "jsonrpc", "repo", "session", "sshconfig", "tunnel"}, never: []string{"github.com/docker/docker", "golang.org/x/crypto"}},
	"jsonrpc":                {never: []string{"github.com/docker/docker", "golang.org/x/crypto"}},
	"session":                {ours: []string{"agent", "agent/agentbin", "agent/conversation", "agent/gitwatch", "container", "devcontainer", "gateway", "internal/refwatch", "internal/sshwire", "ports", "repo", "sshconfig", "tunnel"}, never: []string{"github.com/docker/docker", "go.lsp.dev"}},
	"sshconfig":              {never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"devcontainer":           {never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"container":              {never: []string{"golang.org/x/crypto", "go.lsp.dev"}},
	"tunnel":                 {ours: []string{"internal/sshwire", "ports"}, never: []string{"github.com/docker/docker", "go.lsp.dev"}},
	"ports":                  {never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"repo":                   {never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"agent":                  {ours: []string{"agent/conversation", "agent/gitwatch", "agent/llm", "agent/loop", "agent/tools", "internal/sshwire", "ports"}, never: []string{"github.com/docker/docker", "go.lsp.dev"}},
	"internal/jsonbound":     {},
	"agent/conversation":     {ours: []string{"internal/jsonbound"}, never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"agent/gitwatch":         {ours: []string{"internal/refwatch"}, never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"agent/llm":              {never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"agent/loop":             {ours: []string{"agent/conversation", "agent/llm", "agent/tools", "ports"}, never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"agent/tools":            {ours: []string{"ports"}, never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"agent/agentbin":         {never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"gateway":                {ours: []string{"internal/jsonbound"}, never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev", "github.com/anthropics", "github.com/openai"}},
	"internal/sshwire":       {never: []string{"github.com/docker/docker", "go.lsp.dev"}},
	"internal/memconn":       {},
	"internal/refwatch":      {never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"internal/bench":         {},
	"internal/dockertest":    {},
	"internal/fakellm":       {never: []string{"github.com/docker/docker", "golang.org/x/crypto", "go.lsp.dev"}},
	"internal/fakellm/serve": {ours: []string{"internal/fakellm"}},
	"jsonrpc/transcript":     {},
	"scripts/gotest":         {},
}

func TestImportsKeepTheirDirection(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		from := strings.TrimPrefix(fields[0], module)
		rule, known := lookup(from)
		if !known {
			t.Errorf("package %s has no place in the architecture: add it to this table and to ARCHITECTURE.md", from)
			continue
		}
		for _, to := range fields[1:] {
			checkImport(t, from, to, rule.ours, rule.never)
		}
	}
}

// lookup finds a package's rule; a package under internal/ of another has that one's.
func lookup(path string) (rule struct{ ours, never []string }, ok bool) {
	owner, _, _ := strings.Cut(path, "/internal/")
	if strings.HasPrefix(path, "internal/") {
		owner = path
	}
	return allowed[owner], mapHas(owner)
}

func mapHas(path string) bool { _, ok := allowed[path]; return ok }

func checkImport(t *testing.T, from, to string, ours, never []string) {
	t.Helper()
	if path, own := strings.CutPrefix(to, module); own {
		owner, _, _ := strings.Cut(from, "/internal/")
		if !slices.Contains(ours, path) && !strings.HasPrefix(path, owner+"/internal/") {
			t.Errorf("%s imports %s, against the direction of the architecture", from, path)
		}
		return
	}
	for _, n := range never {
		if to == n || strings.HasPrefix(to, n+"/") {
			t.Errorf("%s imports %s, which it must not know", from, to)
		}
	}
}

// TestEveryPackageHasOneDoc keeps the promise that a reader finds each package explained in one place.
func TestEveryPackageHasOneDoc(t *testing.T) {
	t.Parallel()
	docs := map[string][]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir := filepath.Dir(path)
		docs[dir] = append(docs[dir], nil...)
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err == nil && hasDoc(file) {
			docs[dir] = append(docs[dir], filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, files := range docs {
		if len(files) != 1 {
			t.Errorf("%s: want one package comment, got them in %v", dir, files)
		}
	}
}

func hasDoc(f *ast.File) bool { return f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != "" }
