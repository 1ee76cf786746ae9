package repo

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// The names of the host inside: `git fetch sketch-host` asks it for its branches.
const (
	RemoteName = "sketch-host"
	RemoteURL  = "sketch://host"
)

// Who commits inside when git on the host does not know who its user is.
const defaultName, defaultEmail = "sketch-ide", "sketch-ide@localhost"

// Runner runs a POSIX shell script inside the container.
type Runner interface {
	// Run runs the script by sh and returns when it has ended, with an error unless its exit status was 0. It hands each line
	// that the script writes to its standard error to stderr, in order, from one goroutine; [Lines] splits them. A nil stdin is empty.
	Run(ctx context.Context, script string, stdin io.Reader, stderr func(line string)) error
}

//go:embed checkout.sh
var checkoutScript string

// Checkout puts the repository into the folder workspace inside, at r.Head with its history, on the branch sketch/<slug>. It
// tells report how far git is ("Receiving objects:  45% (9/20)"), from one goroutine.
//
// The container must reach [Repo.ServeUploadPack] through a git-remote-sketch in its PATH. Where run is a [PackSharer] or a [PackReceiver] too, large repositories are
// shared or copied rather than fetched. Where the slug's branch has been
// checked out in that folder before, Checkout leaves everything as it is; where that was interrupted, it starts over. Two
// calls for one folder must not overlap.
func (r *Repo) Checkout(ctx context.Context, run Runner, workspace, slug string, report func(string)) error {
	if err := ValidSlug(slug); err != nil {
		return err
	}
	step, ways := stepFetch, r.shortcuts(run, workspace, report)
	if len(ways) > 0 {
		done, err := r.checkoutStep(ctx, run, workspace, slug, stepBegin, report)
		if err != nil || done {
			return err
		}
	}
	for _, bring := range ways { // and the fetch brings what none of them did
		err := bring(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("check out %s inside: %w", r.Name, context.Cause(ctx))
		}
		if err == nil {
			step = stepCopied
			break
		}
	}
	_, err := r.checkoutStep(ctx, run, workspace, slug, step, report)
	return err
}

// shortcuts are the ways by which objects come in more quickly than by a fetch, the quickest first.
func (r *Repo) shortcuts(run Runner, workspace string, report func(string)) (ways []func(context.Context) error) {
	if from, ok := run.(PackSharer); ok {
		ways = append(ways, func(ctx context.Context) error { return r.useShared(ctx, run, from, workspace, report) })
	}
	if to, ok := run.(PackReceiver); ok {
		ways = append(ways, func(ctx context.Context) error { return r.copyObjects(ctx, run, to, workspace, report) })
	}
	return ways
}

// The steps of checkout.sh: to begin and no more, or the whole with or without a fetch.
const (
	stepBegin  = "begin"
	stepFetch  = "fetch"
	stepCopied = "copied"
)

func (r *Repo) checkoutStep(ctx context.Context, run Runner, workspace, slug, step string, report func(string)) (done bool, err error) {
	var last lastLines
	var told string
	err = run.Run(ctx, r.script(workspace, slug, step), nil, func(line string) {
		switch progress, ok := parseProgress(line); {
		case line == doneLine:
			done = true
		case !ok:
			last.add(oneLine(line))
		case progress != told:
			told = progress
			report(progress)
		}
	})
	switch {
	case err == nil:
		return done, nil
	case ctx.Err() != nil:
		return false, fmt.Errorf("check out %s inside: %w", r.Name, context.Cause(ctx))
	case slices.Contains(last, noGitLine):
		return false, fmt.Errorf("check out %s inside: %w", r.Name, ErrNoGitInside)
	}
	if last.isFull() {
		err = fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return false, fmt.Errorf("check out %s inside: %w%s", r.Name, err, last.said())
}

// script sets the variables that checkout.sh reads. Nothing of the host gets into the text but between single quotes.
func (r *Repo) script(workspace, slug, step string) string {
	format := ""
	if len(r.Head) == 64 {
		format = "sha256"
	}
	var b strings.Builder
	for _, v := range [][2]string{
		{"workspace", workspace},
		{"branch", "sketch/" + slug},
		{"commit", r.Head},
		{"base", baseRef},
		{"format", format},
		{"remote", RemoteName},
		{"url", RemoteURL},
		{"name", cmp.Or(r.UserName, defaultName)},
		{"email", cmp.Or(r.UserEmail, defaultEmail)},
		{"no_git", noGitLine},
		{"done", doneLine},
		{"step", step},
	} {
		fmt.Fprintf(&b, "%s=%s\n", v[0], quote(v[1]))
	}
	return b.String() + checkoutScript
}

// What checkout.sh says to us.
const (
	noGitLine = "sketch-ide: no git"
	doneLine  = "sketch-ide: done before"
)

// progressPattern is a line of git's progress, from either side.
var progressPattern = regexp.MustCompile(`^(?:remote: )?([A-Z][a-z ]+: +\d+% \(\d+/\d+\)(?:, [\d.]+ [A-Za-z]+(?: \| [\d.]+ [A-Za-z]+/s)?)?)(?:, done\.)?$`)

func parseProgress(line string) (progress string, ok bool) {
	m := progressPattern.FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// lastLines keeps what a failed script said last.
type lastLines []string

func (l *lastLines) add(line string) {
	*l = append(*l, line)
	if len(*l) > 5 {
		*l = (*l)[1:]
	}
}
