package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/gitwatch"
	"github.com/sketch-ide/sketch-ide/repo"
)

// maxOthers is how many further branches one session can have on the host, whatever becomes of them inside.
const maxOthers = gitwatch.MaxOthers

// pullTimeout is for all pulls of one look: a container may send for ever.
const pullTimeout = 10 * time.Minute

var errPullTimeout = errors.New("the container took too long to send its commits")

// OtherBranch is a branch that was made inside beside the session's own, as it is on the host.
type OtherBranch struct {
	Inside string // short name inside: the container's words
	Name   string // short name on the host; empty when it is not there
	Commit string // that was brought out last
	Ahead  int    // commits up to it since the session's base
	Err    error  // why the latest commits are not there; a *BranchError
}

// savedOther is an OtherBranch in the state directory.
type savedOther struct {
	Inside string `json:"inside"`
	Wish   string `json:"wish"` // the wished name on the host
	Name   string `json:"name,omitempty"`
	Pulled string `json:"pulled,omitempty"`
	Ahead  int    `json:"ahead,omitempty"`
	Error  string `json:"error,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

func (o *savedOther) state() OtherBranch {
	state := OtherBranch{Inside: o.Inside, Name: o.Name, Commit: o.Pulled, Ahead: o.Ahead}
	if o.Error != "" {
		state.Err = &BranchError{Err: errors.New(o.Error), Hint: o.Hint}
	}
	return state
}

// bringOut brings out what is inside and not on the host, and says in next what has become of it. The pace is that of the worst: a container that lets one branch
// succeed does not have the others tried the more often for it.
func (b *brancher) bringOut(ctx context.Context, r *repo.Repo, next *savedBranch, inside gitwatch.State) {
	if inside.Branch != next.Work {
		return // it is being renamed, or nothing was heard yet
	}
	others := next.meet(inside)
	next.Detached = inside.Detached
	work := inside.Commit != "" && inside.Commit != next.Pulled && (inside.Commit != next.Base || next.Pulled != "")
	if !work && len(others) == 0 || !b.pace.ready(time.Now()) {
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, pullTimeout, errPullTimeout)
	defer cancel()
	var failed, refused bool
	note := func(err error) *BranchError {
		if _, out := errors.AsType[*repo.CheckedOutError](err); out {
			refused = true // the host's refs wake when that is over
		} else {
			failed = true
		}
		return branchError(b.rec.Name, err)
	}
	if work {
		if err := b.pullWork(ctx, r, next, inside.Commit); err == nil {
			next.fail(nil)
		} else if !ending(ctx) {
			next.fail(note(err))
		}
	}
	for at, tip := range others {
		if err := b.pullOther(ctx, r, next, &next.Others[at], tip); err != nil && !ending(ctx) {
			e := note(err)
			next.Others[at].Error, next.Others[at].Hint = e.Error(), e.Hint
		}
	}
	switch now := time.Now(); {
	case failed:
		b.pace.failed(now)
	case refused:
		b.pace.refused(now)
	case !ending(ctx):
		b.pace.succeeded()
	}
}

// ending reports whether the session ends; what was under way then has not failed.
func ending(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), errPullTimeout)
}

// meet makes room for the further branches inside, as long as there is any, and returns those that have something new: index in b.Others to commit.
func (b *savedBranch) meet(inside gitwatch.State) map[int]string {
	b.Left = inside.More
	news := map[int]string{}
	for _, o := range inside.Others {
		at := slices.IndexFunc(b.Others, func(known savedOther) bool { return known.Inside == o.Name })
		if at < 0 && len(b.Others) >= maxOthers {
			b.Left = true
			continue
		}
		if at < 0 {
			at = len(b.Others)
			b.Others = append(b.Others, savedOther{Inside: o.Name, Wish: repo.AsideName(b.Work, o.Name)})
		}
		if b.Others[at].Pulled != o.Commit {
			news[at] = o.Commit
		}
	}
	return news
}

var (
	errOthersLeft = fmt.Errorf("more than %d branches were made inside; the others are not brought out", maxOthers)
	errDetached   = errors.New("a commit inside is on no branch, and so is not brought out")
)

// tellLeft tells people, once, what stays inside.
func (b *brancher) tellLeft(now *savedBranch) {
	if now.Left && !b.toldLeft {
		b.toldLeft = true
		b.problem(&BranchError{Err: errOthersLeft, Hint: "See them: sketch-ide ssh " + b.rec.Name + " -- git branch. What is merged into " + now.Work + " there comes along."})
	}
	if now.Detached != "" && !b.toldDetached {
		b.toldDetached = true
		b.problem(&BranchError{Err: errDetached, Hint: "Give it one: sketch-ide ssh " + b.rec.Name + " -- git branch NAME " + now.Detached[:12]})
	}
}

func (b *brancher) pullWork(ctx context.Context, r *repo.Repo, next *savedBranch, tip string) error {
	name, err := b.pull(ctx, r, next, repo.Pull{Session: b.rec.Name, Tip: tip, Wish: next.Work, Now: next.Name})
	if name != "" {
		next.Name = name
	}
	if err == nil {
		next.Pulled, next.Updated = tip, time.Now().UTC().Round(0)
	}
	return err
}

func (b *brancher) pullOther(ctx context.Context, r *repo.Repo, next *savedBranch, o *savedOther, tip string) error {
	name, err := b.pull(ctx, r, next, repo.Pull{Session: repo.Aside(b.rec.Name, o.Inside), Tip: tip, Wish: o.Wish, Now: o.Name})
	if name != "" {
		o.Name = name
	}
	if err != nil {
		return err
	}
	ahead, err := r.Count(ctx, next.Base, tip)
	if err != nil {
		return err
	}
	o.Pulled, o.Ahead, o.Error, o.Hint = tip, ahead, "", ""
	next.Updated = time.Now().UTC().Round(0)
	return nil
}

// pull brings out one commit and counts what it takes.
func (b *brancher) pull(ctx context.Context, r *repo.Repo, next *savedBranch, p repo.Pull) (string, error) {
	limits := b.limitsNow()
	allowance := next.allowance(limits.MaxPackPerDay, time.Now())
	p.Workspace, p.Base, p.MaxPack, p.Allowance = b.rec.Workspace, next.Base, limits.MaxPack, &allowance
	name, err := r.Pull(ctx, b, p)
	next.Taken += allowance.Taken
	return name, err
}
