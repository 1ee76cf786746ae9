package repo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Source runs scripts inside the container whose output is wanted.
type Source interface {
	// Output runs the script by sh and returns when it has ended, with an error unless its exit status was 0. What the script writes comes from the
	// container and is not trusted. An error of stdout ends the script and is returned.
	Output(ctx context.Context, script string, stdin io.Reader, stdout io.Writer, stderr func(line string)) error
}

// Pull says what is brought out of a container, and as what.
type Pull struct {
	Session   string // names the refs that remember what was written: refs/sketch/<session>/; or an [Aside]
	Workspace string // the repository's folder inside
	Tip       string // the commit to bring out, as the container says
	Base      string // the commit that the work started from
	Wish      string // the branch to write, "sketch/<slug>"
	Now       string // the branch that was written last, when that was another one; else empty
	MaxPack   int64  // bytes; 0: DefaultMaxPack

	Allowance *Allowance // for several pulls together; nil: none is kept
}

// Allowance is how much may be taken over by pulls one after the other: a container can name ever new commits, each within the limit of one pull.
type Allowance struct {
	Left  int64 // bytes
	Taken int64 // bytes on disk that Pull has added
}

// limit is how much this pull may bring, and what it is when there is more.
func (p Pull) limit() (int64, error) {
	limit := p.MaxPack
	if limit <= 0 {
		limit = DefaultMaxPack
	}
	if p.Allowance != nil && p.Allowance.Left < limit {
		return max(p.Allowance.Left, 0), ErrAllowance
	}
	return limit, fmt.Errorf("%w of %d MiB", ErrTooBig, limit>>20)
}

func (p Pull) took(bytes int64) {
	if p.Allowance != nil {
		p.Allowance.Left -= bytes
		p.Allowance.Taken += bytes
	}
}

// DefaultMaxPack is how much one pull may bring.
const DefaultMaxPack = 1 << 30

//go:embed pull.sh
var pullScript string

var hexName = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// ValidCommit reports whether s could be the name of a commit of this repository.
func (r *Repo) ValidCommit(s string) bool { return len(s) == len(r.Head) && hexName.MatchString(s) }

// Pull fetches a commit and what it needs from the container, checks it in a quarantine, moves it into the user's repository, and makes a branch of it,
// whose name it returns. The container chooses no name, and nothing of it is kept when anything is wrong: when objects are not well formed or could harm
// a checkout (git-fsck(1)), are more than p.MaxPack, are missing, or are not on offer to the container, which could else have itself shown
// what it knows the name of.
//
// The branch is created, or moved from where Pull has put it before; never when somebody else has moved it (then sketch/<slug>-2 and so on), and never
// while it is checked out: then the commit is kept under refs/sketch/ and the error is a [*CheckedOutError].
func (r *Repo) Pull(ctx context.Context, src Source, p Pull) (branch string, err error) {
	if !r.ValidCommit(p.Tip) {
		return "", fmt.Errorf("bring out %.70q: %w: not the name of a commit", p.Tip, ErrBadObjects)
	}
	if err := ValidSlug(strings.TrimPrefix(p.Wish, BranchPrefix)); err != nil {
		return "", err
	}
	if err := r.bring(ctx, src, p); err != nil {
		return "", fmt.Errorf("bring out commit %.12s: %w", p.Tip, full(err))
	}
	branch, err = r.place(ctx, p)
	return branch, full(err)
}

// bring makes the commit and all that it needs part of the user's objects.
func (r *Repo) bring(ctx context.Context, src Source, p Pull) error {
	haves, err := r.haves(ctx, p)
	if err != nil {
		return err
	}
	if known, err := r.known(ctx, p.Tip, haves); err != nil || known {
		return err
	}
	q, err := r.newQuarantine()
	if err != nil {
		return err
	}
	defer q.remove()
	if err := q.receive(ctx, src, p, haves); err != nil {
		return err
	}
	taken, err := q.release(ctx, p.Tip, haves)
	p.took(taken)
	return err
}

// maxHaves is how many branches of the host the container is told to leave out.
const maxHaves = 200

// haves are commits that the host has with all that they need, and that the container may know of.
func (r *Repo) haves(ctx context.Context, p Pull) ([]string, error) {
	out, err := git(ctx, r.Root, "for-each-ref", "--sort=-committerdate", fmt.Sprint("--count=", maxHaves), "--format=%(objectname)",
		refsOf(p.Session), "refs/heads")
	if err != nil {
		return nil, err
	}
	haves := []string{p.Base}
	for id := range strings.Lines(out) {
		if id = strings.TrimSpace(id); r.ValidCommit(id) && id != p.Base {
			haves = append(haves, id)
		}
	}
	return haves, nil
}

// known reports whether the commit is reachable from haves already: after a reset inside there is nothing to fetch.
func (r *Repo) known(ctx context.Context, tip string, haves []string) (bool, error) {
	if kind, err := git(ctx, r.Root, "cat-file", "-t", tip); err != nil || kind != "commit" {
		return false, ctx.Err()
	}
	call := gitCall{dir: r.Root, args: []string{"rev-list", "--max-count=1", "--stdin"}, in: revisions(tip, haves)}
	out, err := call.answer(ctx, 1<<10)
	return out == "", err
}

// revisions are what is reachable from tip and not from haves, for --stdin.
func revisions(tip string, haves []string) io.Reader {
	return strings.NewReader(tip + "\n^" + strings.Join(haves, "\n^") + "\n")
}

// receive takes a pack into the quarantine. git checks each object, and that those which it names are there.
func (q *quarantine) receive(ctx context.Context, src Source, p Pull, haves []string) error {
	limit, over := p.limit()
	if limit == 0 {
		return over
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	reader, writer := io.Pipe()
	indexed := make(chan error, 1)
	call := q.call("index-pack", "--stdin", "--strict", fmt.Sprint("--max-input-size=", limit))
	call.in = reader
	// Ends with its input, which ends below, or with ctx; waited for below.
	go func() {
		err := call.run(ctx)
		reader.CloseWithError(errStopped) // whoever writes learns that nobody reads
		indexed <- err
	}()
	var last lastLines
	stdout := &bounded{w: writer, left: limit}
	script := fmt.Sprintf("workspace=%s\ntip=%s\n%s", quote(p.Workspace), quote(p.Tip), pullScript)
	sent := src.Output(ctx, script, strings.NewReader(strings.Join(haves, "\n")+"\n"), stdout, func(line string) {
		last.add(oneLine(line))
	})
	writer.CloseWithError(sent) // nil: the end of the input
	err := <-indexed
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case stdout.over, said(err, "maximum allowed size"):
		return over
	case sent != nil && !errors.Is(sent, errStopped):
		return fmt.Errorf("pack commits inside: %w%s", sent, last.said())
	case errors.Is(full(err), ErrDiskFull):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", ErrBadObjects, err)
	}
	return nil
}

var errStopped = errors.New("git has stopped reading")

// said is what was written last, behind a colon.
func (l *lastLines) said() string {
	if len(*l) == 0 {
		return ""
	}
	return ": " + strings.Join(*l, "; ")
}

// bounded passes on at most left bytes.
type bounded struct {
	w    io.Writer
	left int64
	over bool // there was more
}

func (b *bounded) Write(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		b.over = true
		return 0, ErrTooBig
	}
	b.left -= int64(len(p))
	return b.w.Write(p)
}
