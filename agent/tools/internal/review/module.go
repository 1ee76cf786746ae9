package review

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxPackages = 60 // whose tests run
	maxShown    = 20 // findings of a kind
	maxTestText = 3000
)

// module reviews one module: as it is now, and, if something is wrong with it, as it was.
func (r *review) module(ctx context.Context, m module) error {
	dir := filepath.Join(r.root, m.dir)
	if !exists(filepath.Join(dir, "go.mod")) {
		r.say("%s: no go.mod, so that nothing but the format was looked at.", m.dir)
		return nil
	}
	packages, err := r.packages(ctx, dir, m.files)
	if err != nil {
		return err
	}
	now, err := r.state(ctx, dir, m.files, packages)
	if err != nil {
		return err
	}
	if now.clean() {
		r.say("%s: go vet and %s are clean; %s.", m.name(), r.goplsName(), now.tests.summary())
		return nil
	}
	before, err := r.before(ctx, m, packages)
	if err != nil {
		return err
	}
	r.compare(m, before, now)
	return nil
}

func (m module) name() string {
	if m.dir == "." {
		return "module"
	}
	return "module " + m.dir
}

func (r *review) goplsName() string {
	if r.gopls == "" {
		return "gopls (not installed)"
	}
	return "gopls"
}

// packages returns the changed packages first and then those that import them, as patterns for the go command.
func (r *review) packages(ctx context.Context, dir string, files []string) (packages, error) {
	var p packages
	for _, name := range files {
		p.changed = append(p.changed, "./"+filepath.ToSlash(filepath.Dir(name)))
	}
	slices.Sort(p.changed)
	p.changed = slices.Compact(p.changed)
	out, _, err := r.run(ctx, dir, r.goes, "list", "-e", "-f", `{{.Dir}}	{{.ImportPath}}{{range .Imports}} {{.}}{{end}}{{range .TestImports}} {{.}}{{end}}{{range .XTestImports}} {{.}}{{end}}`, "./...")
	if err != nil {
		return p, err
	}
	p.tested = slices.Concat(p.changed, importers(dir, out, p.changed))
	if len(p.tested) > maxPackages {
		r.say("The tests of %d packages were left out.", len(p.tested)-maxPackages)
		p.tested = p.tested[:maxPackages]
	}
	return p, nil
}

type packages struct{ changed, tested []string }

// importers finds in the output of go list the packages that import one of the changed.
func importers(dir, list string, changed []string) []string {
	type entry struct {
		pattern string
		imports []string
	}
	var all []entry
	var paths []string // import paths of the changed
	for line := range strings.Lines(list) {
		where, rest, ok := strings.Cut(strings.TrimSpace(line), "\t")
		fields := strings.Fields(rest)
		rel, err := filepath.Rel(dir, where)
		if !ok || err != nil || len(fields) == 0 {
			continue // what go says of packages that it cannot read
		}
		pattern := "./" + filepath.ToSlash(rel)
		if slices.Contains(changed, pattern) {
			paths = append(paths, fields[0])
		} else {
			all = append(all, entry{pattern, fields[1:]})
		}
	}
	var found []string
	for _, e := range all {
		if slices.ContainsFunc(e.imports, func(i string) bool { return slices.Contains(paths, i) }) {
			found = append(found, e.pattern)
		}
	}
	return found
}

// state is what was found in a tree.
type state struct {
	vet, gopls []problem
	tests      results
}

func (s state) clean() bool { return len(s.vet) == 0 && len(s.gopls) == 0 && !s.tests.failed() }

// state looks at a tree. Packages and files that it does not have are left out.
func (r *review) state(ctx context.Context, dir string, files []string, p packages) (s state, err error) {
	changed, tested := there(dir, p.changed), there(dir, p.tested)
	if len(changed) > 0 {
		out, _, err := r.run(ctx, dir, r.goes, append([]string{"vet"}, changed...)...)
		if err != nil {
			return s, err
		}
		s.vet = parseProblems(dir, out)
	}
	if files = there(dir, files); r.gopls != "" && len(files) > 0 {
		out, _, err := r.run(ctx, dir, r.gopls, append([]string{"check"}, files...)...)
		if err != nil {
			return s, err
		}
		s.gopls = parseProblems(dir, out)
	}
	if len(tested) > 0 {
		out, _, err := r.run(ctx, dir, r.goes, append([]string{"test", "-json", "-vet=off", "-timeout=10m"}, tested...)...)
		if err != nil {
			return s, err
		}
		s.tests = parseTests(out)
	}
	return s, nil
}

func there(dir string, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !info.IsDir() {
			return err != nil
		}
		sources, _ := filepath.Glob(filepath.Join(dir, name, "*.go")) // a bad pattern is a folder with odd characters
		return len(sources) == 0
	})
}

// before looks at the module as it was at the base, in a worktree that is removed again.
func (r *review) before(ctx context.Context, m module, p packages) (state, error) {
	temp, err := os.MkdirTemp("", "sketch-review-")
	if err != nil {
		return state{}, failf("No temporary directory can be made: %v.", err)
	}
	defer os.RemoveAll(temp)
	tree := filepath.Join(temp, "before")
	out, ok, err := r.run(ctx, r.root, r.git, "worktree", "add", "--quiet", "--detach", tree, r.base)
	defer r.removeTree(ctx, tree)
	if err != nil {
		return state{}, err
	}
	if !ok {
		return state{}, failf("The code before the change cannot be checked out: %.500s", out)
	}
	dir := filepath.Join(tree, m.dir)
	if !exists(filepath.Join(dir, "go.mod")) {
		return state{}, nil // the module is new
	}
	return r.state(ctx, dir, m.files, p)
}

// removeTree forgets the worktree, even if the review was cancelled.
func (r *review) removeTree(ctx context.Context, tree string) {
	os.RemoveAll(tree) // what remains is a temporary file
	// An error leaves an entry that git itself prunes.
	_, _, _ = r.run(context.WithoutCancel(ctx), r.root, r.git, "worktree", "prune")
}

// compare tells what is new.
func (r *review) compare(m module, before, now state) {
	r.problems(m.name()+": go vet", before.vet, now.vet)
	if r.gopls != "" {
		r.problems(m.name()+": gopls", before.gopls, now.gopls)
	}
	newly, old := now.tests.compare(before.tests)
	r.findings += len(newly)
	r.say("%s: tests: %s.", m.name(), now.tests.summary())
	for i, f := range newly {
		if i == maxShown {
			r.say("[%d more]", len(newly)-i)
			break
		}
		r.say("NEW FAILURE %s\n%s", f.name, indent(f.output))
	}
	if len(old) > 0 {
		names := make([]string, len(old))
		for i, f := range old {
			names[i] = f.name
		}
		r.say("failed before the change too: %s", strings.Join(names[:min(len(names), maxShown)], ", "))
	}
}

func (r *review) problems(what string, before, now []problem) {
	newly := fresh(before, now)
	r.findings += len(newly)
	if len(newly) == 0 {
		r.say("%s: nothing new (%d problems as before).", what, len(now))
		return
	}
	r.say("%s: %d new problems:", what, len(newly))
	for i, p := range newly {
		if i == maxShown {
			r.say("[%d more]", len(newly)-i)
			break
		}
		r.say("%s", indent(p.text))
	}
}

func indent(text string) string {
	if len(text) > maxTestText {
		text = fmt.Sprintf("[…]\n%s", text[len(text)-maxTestText:])
	}
	return "  " + strings.ReplaceAll(strings.TrimRight(strings.ToValidUTF8(text, "?"), "\n"), "\n", "\n  ")
}
