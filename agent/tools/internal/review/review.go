package review

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/proc"
)

// Bounds of a review.
const (
	maxFiles   = 500
	maxModules = 8
	maxOutput  = 4 << 20
)

// Config says what is reviewed.
type Config struct {
	Dir  string       // in the repository
	Env  []string     // nil: that of this process
	Base string       // commit that the change began at; empty: refs/sketch/base, else the upstream's, else HEAD
	Tell func(string) // what is being done; may be nil
}

// Error is why there is no review, for the model.
type Error struct{ text string }

// Error implements error.
func (e *Error) Error() string { return e.text }

func failf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// review is one run.
type review struct {
	cfg       Config
	git, goes string // programs
	gopls     string // empty: not there
	root      string // of the repository
	base      string // commit
	out       strings.Builder
	findings  int
}

// Run reviews what has changed in the working tree since the base, commits and uncommitted files together. It returns what there is to say
// and how many findings are new.
func Run(ctx context.Context, cfg Config) (text string, findings int, err error) {
	r := &review{cfg: cfg}
	if r.cfg.Tell == nil {
		r.cfg.Tell = func(string) {}
	}
	if r.git, r.goes = proc.Find(cfg.Env, "git"), proc.Find(cfg.Env, "go", "/usr/local/go/bin/go"); r.git == "" {
		return "", 0, failf("There is no git here.")
	}
	if r.goes == "" {
		return "", 0, failf("Go is not installed here, so that Go code cannot be reviewed.")
	}
	r.gopls = proc.Find(cfg.Env, "gopls", filepath.Join(proc.Getenv(cfg.Env, "HOME"), "go/bin/gopls"), "/go/bin/gopls")
	if err := r.locate(ctx); err != nil {
		return "", 0, err
	}
	if err := r.review(ctx); err != nil {
		return "", 0, err
	}
	return r.out.String(), r.findings, nil
}

func (r *review) say(format string, args ...any) { fmt.Fprintf(&r.out, format+"\n", args...) }

// run runs a program and returns its standard output and standard error together. An error means that it could not run, or the end of ctx.
func (r *review) run(ctx context.Context, dir, program string, args ...string) (output string, ok bool, err error) {
	r.cfg.Tell(filepath.Base(program) + " " + strings.Join(args[:min(len(args), 6)], " "))
	out := &limited{}
	cmd := proc.Command(ctx, r.cfg.Env, dir, program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	if ctx.Err() != nil {
		return "", false, ctx.Err()
	}
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return "", false, failf("%s cannot be run: %v.", filepath.Base(program), err)
	}
	return out.String(), err == nil, nil
}

// limited keeps the first bytes that are written.
type limited struct{ bytes.Buffer }

// Write says that it took all.
func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), max(maxOutput-l.Len(), 0))])
	return len(p), nil
}

// locate finds the repository and the base.
func (r *review) locate(ctx context.Context) error {
	out, ok, err := r.run(ctx, r.cfg.Dir, r.git, "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	if !ok {
		return failf("%s is in no git repository.", r.cfg.Dir)
	}
	r.root = strings.TrimSpace(out)
	candidates := []string{"refs/sketch/base", "@{upstream}", "HEAD"}
	if r.cfg.Base != "" {
		candidates = []string{r.cfg.Base}
	}
	for _, candidate := range candidates {
		// The common ancestor, since HEAD may have been put upon something newer.
		out, ok, err := r.run(ctx, r.root, r.git, "merge-base", "--", candidate, "HEAD")
		if err != nil {
			return err
		}
		if ok {
			r.base = strings.TrimSpace(out)
			return nil
		}
	}
	if r.cfg.Base != "" {
		return failf("%q is no commit that HEAD has something in common with.", r.cfg.Base)
	}
	return failf("There is no commit yet to compare with.")
}

func (r *review) review(ctx context.Context) error {
	files, err := r.changed(ctx)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		r.say("No Go file has changed since %.12s.", r.base)
		return nil
	}
	r.say("%d Go files have changed since %.12s.", len(files), r.base)
	r.format(files)
	modules := r.modules(files)
	for i, m := range modules {
		if i == maxModules {
			r.say("%d more modules were not looked at.", len(modules)-i)
			break
		}
		if err := r.module(ctx, m); err != nil {
			return err
		}
	}
	if r.findings == 0 {
		r.say("Nothing new was found.")
	}
	return nil
}

// changed returns the Go files that differ from the base and exist, relative to the root.
func (r *review) changed(ctx context.Context) ([]string, error) {
	tracked, ok1, err1 := r.run(ctx, r.root, r.git, "diff", "--name-only", "-z", "--diff-filter=d", r.base, "--", "*.go")
	untracked, ok2, err2 := r.run(ctx, r.root, r.git, "ls-files", "-z", "--others", "--exclude-standard", "--", "*.go")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if !ok1 || !ok2 {
		return nil, failf("git failed: %.500s", tracked+untracked)
	}
	var files []string
	for name := range strings.SplitSeq(tracked+untracked, "\x00") {
		if name != "" && !slices.ContainsFunc(strings.Split(name, "/"), ignored) {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	files = slices.Compact(files)
	if len(files) > maxFiles {
		return nil, failf("%d Go files have changed: give a base that is nearer.", len(files))
	}
	return files, nil
}

// ignored reports whether the go command ignores a folder of that name, or it is other people's.
func ignored(name string) bool {
	return name == "testdata" || name == "vendor" || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".")
}

// format looks for files that gofmt would change. A file that does not parse is what the compiler will tell.
func (r *review) format(files []string) {
	var bad []string
	for _, name := range files {
		source, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			continue
		}
		if formatted, err := format.Source(source); err == nil && !bytes.Equal(source, formatted) {
			bad = append(bad, name)
		}
	}
	if len(bad) > 0 {
		r.findings += len(bad)
		r.say("gofmt: not formatted: %s", strings.Join(bad, ", "))
	}
}

// module is the part of a change that is in one Go module.
type module struct {
	dir   string   // relative to the root
	files []string // relative to dir
}

func (r *review) modules(files []string) []module {
	byDir := make(map[string][]string)
	for _, name := range files {
		dir := filepath.Dir(name)
		for dir != "." && !exists(filepath.Join(r.root, dir, "go.mod")) {
			dir = filepath.Dir(dir)
		}
		if rel, err := filepath.Rel(dir, name); err == nil {
			byDir[dir] = append(byDir[dir], rel)
		}
	}
	var all []module
	for dir, files := range byDir {
		all = append(all, module{dir, files})
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.dir, b.dir) })
	return all
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }
