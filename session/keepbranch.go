package session

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/agent/gitwatch"
	"github.com/sketch-ide/sketch-ide/internal/refwatch"
)

const (
	baseTimeout = 10 * time.Second       // for telling the agent that the base has moved
	followRetry = 500 * time.Millisecond // between attempts to hear of the branch inside
)

// brancher is the owner's work on the branch: it brings out what is committed inside, and keeps what is told of the branch true. State decides, and events
// only wake: the branch's tip inside, the refs on the host, and what was brought out last.
type brancher struct {
	*Session
	client *http.Client
	wake   chan struct{} // capacity 1: something may have changed
	pace   pace          // of bringing out
	kept   bool          // the base is kept by a ref of ours

	toldLeft, toldDetached bool // that something stays inside: once is enough

	mu    sync.Mutex     // guards the fields below
	state gitwatch.State // of the branch inside; without a commit where that is not known
	told  gitwatch.Base  // what the agent was told last
}

// keepBranch brings commits out until ctx ends.
func (s *Session) keepBranch(ctx context.Context) error {
	if err := s.awaitReady(ctx); err != nil {
		return err
	}
	client := agent.NewClient(s.conn.DialContext)
	defer client.Close()
	b := &brancher{Session: s, client: client.HTTP(), wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel() // before the wait
	// Both end with ctx and are waited for above.
	group.Go(func() { b.followInside(ctx) })
	group.Go(func() { b.watchHost(ctx) })
	return b.run(ctx)
}

// awaitReady returns when the repository is inside.
func (s *Session) awaitReady(ctx context.Context) error {
	for {
		s.mu.Lock()
		ready, changed := s.inside.ready, s.changed
		s.mu.Unlock()
		if ready {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *brancher) nudge() {
	select {
	case b.wake <- struct{}{}:
	default: // what has woken it already is seen together with this
	}
}

// followInside keeps the tip of the branch inside. It follows the branch's renaming too.
func (b *brancher) followInside(ctx context.Context) {
	for ctx.Err() == nil {
		b.mu.Lock()
		b.told = gitwatch.Base{} // the agent may be a new one
		b.mu.Unlock()
		name, renamed := b.workName(ctx)
		err := gitwatch.Follow(renamed, b.client, agent.BaseURL, name, func(s gitwatch.State) {
			b.mu.Lock()
			b.state = s
			b.mu.Unlock()
			b.nudge()
		})
		if renamed.Err() != nil {
			continue // at once: by another name, or not at all
		}
		b.log.Debug("the branch inside is not followed", "error", err)
		sleepContext(ctx, followRetry)
	}
}

// workName is the branch's name inside, and a context that ends when it has another.
func (b *brancher) workName(ctx context.Context) (string, context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	name, changed := b.workLocked()
	// Ends with ctx, or by itself when the name has changed; nobody waits for it, as it touches nothing but its own context.
	go func() {
		defer cancel()
		for {
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
			var now string
			if now, changed = b.workLocked(); now != name {
				return
			}
		}
	}()
	return name, ctx
}

func (b *brancher) workLocked() (string, <-chan struct{}) {
	b.Session.mu.Lock()
	defer b.Session.mu.Unlock()
	if b.work != "" {
		return b.work, b.changed
	}
	return b.inside.branch, b.changed
}

// watchHost wakes when the host's refs may have moved: the base's branch, the session's own, what is checked out.
func (b *brancher) watchHost(ctx context.Context) {
	for ctx.Err() == nil {
		r, err := b.served(ctx)
		if err == nil {
			err = refwatch.Watch(ctx, refwatch.Config{Dir: r.Dir, CommonDir: r.CommonDir, Log: b.log}, b.nudge)
		}
		b.log.Debug("the host's refs are not watched", "error", err)
		sleepContext(ctx, maxRetry)
	}
}

func (b *brancher) run(ctx context.Context) error {
	b.nudge() // what the last owner left is looked at again
	for {
		if !b.wait(ctx) {
			return ctx.Err()
		}
		base, err := b.reconcile(ctx)
		if err != nil && ctx.Err() == nil {
			b.log.Warn("bring out commits", "error", err)
		}
		b.tell(ctx, base)
	}
}

// wait returns when there may be something to do, and false when ctx has ended.
func (b *brancher) wait(ctx context.Context) bool {
	var retry <-chan time.Time
	if b.pace.due {
		timer := time.NewTimer(time.Until(b.pace.before))
		defer timer.Stop()
		retry = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-b.wake:
	case <-retry:
		b.pace.due = false
	}
	return true
}

// reconcile compares what is inside with what is on the host, brings out what is missing, and tells how it stands.
// It returns what the agent should know.
func (b *brancher) reconcile(ctx context.Context) (base gitwatch.Base, err error) {
	unlock, err := b.lockBranch(ctx)
	if err != nil {
		return base, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	r, err := b.served(ctx)
	if err != nil {
		return base, err
	}
	now, err := b.loadBranch()
	if err != nil {
		return base, err
	}
	if !b.kept {
		if err := r.Keep(ctx, b.rec.Name, now.Base); err != nil {
			return base, err
		}
		b.kept = true
	}
	next := now
	next.Others = slices.Clone(now.Others)
	b.mu.Lock()
	inside := b.state
	b.mu.Unlock()
	b.bringOut(ctx, r, &next, inside)
	work, err := r.Work(ctx, next.Name, next.Base, next.BaseBranch)
	if err != nil {
		if !next.same(&now) { // what was written is remembered, also by a process that is just ending
			err = errors.Join(err, b.saveBranch(next))
		}
		return base, err
	}
	next.Commit, next.Subject, next.Ahead, next.Behind = work.Commit, work.Subject, work.Ahead, work.Behind
	if next.Commit != "" && now.Pulled == "" && next.Pulled == "" {
		next.Commit, next.Subject, next.Ahead = "", "", 0 // another's branch of that name
	}
	base = gitwatch.Base{Branch: next.BaseBranch, Commit: work.BaseCommit, Behind: work.Behind}
	b.tellLeft(&next)
	if next.same(&now) {
		return base, nil
	}
	return base, b.saveBranch(next)
}

// tell tells the agent where the base's branch stands, once for each change.
func (b *brancher) tell(ctx context.Context, base gitwatch.Base) {
	b.mu.Lock()
	told := base == b.told
	b.mu.Unlock()
	if told || base.Commit == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, baseTimeout)
	defer cancel()
	if err := gitwatch.SendBase(ctx, b.client, agent.BaseURL, base); err != nil {
		b.log.Debug("tell the agent of the base", "error", err) // the next change tells it
		return
	}
	b.mu.Lock()
	b.told = base
	b.mu.Unlock()
}

func sleepContext(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
