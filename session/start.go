package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/repo"
)

// StartOptions say which session is wanted.
type StartOptions struct {
	Folder    string // any folder of the repository on the host; required
	Name      string // of the session; empty: the folder's session, or a new one with a name of our choice
	BaseImage string // overrides the setting
	New       bool   // make a new session although the folder has one
	Rebuild   bool   // build the image and make a new session although there is one
	Dirty     bool   // a new session begins with what is not committed on the host too
}

// Start returns the folder's session, attached and ready: a running one as it is, a stopped one resumed, else a new one. Whatever fails, or when ctx
// ends first, nothing new is left behind, and a session that was there before stays. Two processes that start
// the same folder at once get the same session. report may be nil; it is called from this goroutine.
func (s *Supervisor) Start(ctx context.Context, o StartOptions, report func(Progress)) (Info, error) {
	if report == nil {
		report = func(Progress) {}
	}
	if o.Name != "" && !ValidName(o.Name) {
		return Info{}, &BadNameError{Name: o.Name}
	}
	r, err := repo.Open(ctx, o.Folder)
	if err != nil {
		return Info{}, err
	}
	e, err := s.connect(ctx)
	if err != nil {
		return Info{}, err
	}
	lock, err := s.cfg.Store.lockFolder(ctx, r.Root)
	if err != nil {
		return Info{}, err
	}
	defer func() {
		if err := lock.Unlock(); err != nil {
			s.cfg.Log.Warn("unlock folder", "error", err)
		}
	}()
	rec, stopped, found, err := s.find(ctx, e, r.Root, o)
	if err != nil {
		return Info{}, err
	}
	if found {
		return s.resume(ctx, e, r, rec, stopped, report)
	}
	return s.create(ctx, e, r, o, report)
}

// find looks for the folder's session: a running one first, else the newest, of which it tells that it is stopped.
func (s *Supervisor) find(ctx context.Context, e Engine, folder string, o StartOptions) (rec record, stopped, found bool, err error) {
	containers, err := s.containers(ctx, e)
	if err != nil {
		return record{}, false, false, err
	}
	var best container.Container // a running one before a stopped one, and then the newest: the list begins with the oldest
	for _, c := range containers {
		if o.Name != "" && c.Session() == o.Name && c.Folder() != folder {
			return record{}, false, false, &NameTakenError{Name: o.Name}
		}
		mine := c.Folder() == folder && (o.Name == "" || c.Session() == o.Name)
		// A container that was only created is what a crash left of a start: prune removes it, nobody enters it.
		if !mine || c.State == container.StateCreated || !s.cfg.Store.Exists(c.Session()) {
			continue
		}
		if best.ID == "" || c.State == container.StateRunning || best.State != container.StateRunning {
			best = c
		}
	}
	if best.ID == "" || o.Rebuild || o.New {
		return record{}, false, false, nil
	}
	if rec, err = s.cfg.Store.load(best.Session()); err != nil {
		return record{}, false, false, err
	}
	rec.Container = best.ID
	return rec, stateOf(best.State) == Stopped, true, nil
}

func (s *Supervisor) resume(ctx context.Context, e Engine, r *repo.Repo, rec record, stopped bool, report func(Progress)) (Info, error) {
	told := "Attaching to " + rec.Name
	if stopped {
		told = "Resuming " + rec.Name + ", which was stopped"
	}
	report(Progress{told, -1})
	if err := s.writeSSH(ctx, rec); err != nil {
		return Info{}, err
	}
	if _, err := e.Start(ctx, rec.Container); err != nil {
		return Info{}, err
	}
	x, err := s.attach(ctx, e, rec)
	if err != nil {
		return Info{}, err
	}
	x.started()
	p, err := s.plan(r, StartOptions{})
	if err != nil {
		s.cfg.Log.Debug("no lifecycle commands", "error", err) // what is wrong with devcontainer.json is told by its follower
	}
	return s.makeReady(ctx, x, r, p.hooks, report)
}

// errImageGone: the image was there a moment ago and was removed (a prune in another terminal) before a container was made from it.
var errImageGone = errors.New("image was removed meanwhile")

// maxTries is how often a session is begun whose image or name was taken away in between.
const maxTries = 5

// create makes a new session, and undoes everything when it fails on the way. A name of our choice may be that of somebody else's session on the same
// engine: then another one is chosen.
func (s *Supervisor) create(ctx context.Context, e Engine, r *repo.Repo, o StartOptions, report func(Progress)) (Info, error) {
	if err := s.currentSettings().Container.Err; err != nil {
		return Info{}, err
	}
	for tries := 1; ; tries++ {
		info, err := s.createOnce(ctx, e, r, o, report)
		_, taken := errors.AsType[*NameTakenError](err)
		if tries == maxTries || !errors.Is(err, errImageGone) && !(taken && o.Name == "") {
			return info, err
		}
	}
}

func (s *Supervisor) createOnce(ctx context.Context, e Engine, r *repo.Repo, o StartOptions, report func(Progress)) (_ Info, err error) {
	p, err := s.plan(r, o)
	if err != nil {
		return Info{}, err
	}
	image, err := e.EnsureImage(ctx, p.image, func(c container.Progress) { report(Progress{c.Message, c.Percent}) })
	if err != nil {
		return Info{}, &ImageError{Err: err}
	}
	rec, err := s.newRecord(e, r, o, image, p.workspace)
	if err != nil {
		return Info{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.undo(ctx, e, rec))
		}
	}()
	report(Progress{"Creating container " + rec.Name, -1})
	shared := s.sharePacks(ctx, e, r, rec.Name, &p.box)
	defer shared.end() // before the undoing, which removes its folder
	err = s.createContainer(ctx, e, &rec, image, p.box)
	if shared.refused(err) { // the engine sees other files than this process does
		p.box.mounts = p.box.mounts[:len(p.box.mounts)-1]
		shared.drop()
		shared = nil
		err = s.createContainer(ctx, e, &rec, image, p.box)
	}
	if err != nil {
		return Info{}, err
	}
	if err := errors.Join(s.cfg.Store.save(rec), s.writeSSH(ctx, rec)); err != nil {
		return Info{}, err
	}
	if _, err := e.Start(ctx, rec.Container); err != nil {
		return Info{}, err
	}
	x, err := s.attach(ctx, e, rec)
	if err != nil {
		return Info{}, err
	}
	x.takeShare(shared)
	x.carryUncommitted(o.Dirty || s.currentSettings().IncludeUncommitted)
	if len(p.refused) > 0 {
		x.problem(&RefusedError{Asked: p.refused})
	}
	info, err := s.makeReady(ctx, x, r, p.hooks, report)
	if err == nil && shared != nil {
		x.background(x.syncShared)
	}
	return info, err
}

// createContainer makes the container and completes rec by what is known of it then.
func (s *Supervisor) createContainer(ctx context.Context, e Engine, rec *record, image container.Image, b box) error {
	spec, hostKey, err := s.containerSpec(*rec, image, b)
	if err != nil {
		return err
	}
	c, err := e.Create(ctx, spec)
	if errors.Is(err, container.ErrNotFound) {
		return fmt.Errorf("%w: %w", errImageGone, err)
	}
	if errors.Is(err, container.ErrNameConflict) { // another user's, or one that is not ours
		return &NameTakenError{Name: rec.Name}
	}
	if err != nil {
		return err
	}
	rec.Container, rec.HostKey = c.ID, hostKey
	return nil
}

// newRecord takes a name and makes the keys.
func (s *Supervisor) newRecord(e Engine, r *repo.Repo, o StartOptions, image container.Image, workspace string) (record, error) {
	client, err := newKeyPair("sketch-ide client")
	if err != nil {
		return record{}, err
	}
	rec := record{
		Folder: r.Root, Image: image.Ref, User: userName(image), Workspace: workspace,
		Engine: e.Host(), Created: time.Now().UTC().Truncate(time.Second), Client: client,
	}
	rec.Name = o.Name
	if o.Name == "" {
		if rec.Name, err = newName(s.cfg.Store.Exists); err != nil {
			return record{}, err
		}
	}
	err = s.cfg.Store.reserve(rec.Name)
	if errors.Is(err, fs.ErrExist) {
		return record{}, &NameTakenError{Name: rec.Name}
	}
	return rec, err
}

// userName is the SSH user: the image's own, so that `ssh sketch-…` says what whoami says inside.
func userName(image container.Image) string {
	if image.User == "" {
		return "root"
	}
	return image.User
}

const (
	connectTimeout = 30 * time.Second
	undoTimeout    = 20 * time.Second
)

// makeReady waits for the connection and sees to it that the repository is inside.
func (s *Supervisor) makeReady(ctx context.Context, x *Session, r *repo.Repo, h hooks, report func(Progress)) (Info, error) {
	report(Progress{"Connecting", -1})
	wait, cancel := context.WithTimeoutCause(ctx, connectTimeout, &ConnectTimeoutError{Name: x.rec.Name, After: connectTimeout})
	defer cancel()
	if err := x.awaitPipe(wait); err != nil {
		return Info{}, x.explain(ctx, err)
	}
	if !x.isReady() {
		report(Progress{"Copying the repository into the container", -1})
		left := make(chan []string, 1)
		// Ends with git's look at the working tree, or with ctx; waited for below.
		go func() { left <- x.left(ctx, r) }()
		err := x.copyIn(ctx, r, func(line string) { report(Progress{line, -1}) })
		notes := append(r.Notes, <-left...)
		if err != nil {
			return Info{}, x.explain(ctx, err)
		}
		for _, note := range notes {
			report(Progress{note, -1})
		}
	}
	if err := x.prepare(ctx, h, report); err != nil {
		return Info{}, x.explain(ctx, err)
	}
	return x.Info(), nil
}

// explain prefers what is known of the container's end to the error that it caused.
func (s *Session) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return joinContext(ctx)
	}
	s.inspect(ctx)
	s.mu.Lock()
	state, cause := s.stateLocked()
	s.mu.Unlock()
	if state == Stopped || state == Gone {
		return cause
	}
	return err
}

// undo removes what a failed start has made. It runs although ctx may have ended: that is one of the ways to fail.
func (s *Supervisor) undo(ctx context.Context, e Engine, rec record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	s.Detach(rec.Name)
	var err error
	if rec.Container != "" {
		err = e.Remove(ctx, rec.Container)
	}
	if errors.Is(err, container.ErrEngineLost) {
		// Nothing can be removed now: the labels are there for prune, and the folder of keys stays with them.
		return fmt.Errorf("tidy up after the failed start (sketch-ide prune will, later): %w", err)
	}
	return errors.Join(err, s.cfg.Store.Remove(ctx, rec.Name))
}
