package session

import (
	"context"
	"errors"
	"time"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/repo"
)

// stopGrace is how long a container may take to end before it is killed. The agent needs milliseconds; the rest is for what it runs.
const stopGrace = 5 * time.Second

// Stop ends a session's processes and keeps its files: Start resumes it. An engine is needed; being attached is not.
func (s *Supervisor) Stop(ctx context.Context, name string) error {
	e, info, err := s.target(ctx, name)
	if err != nil {
		return err
	}
	return e.Stop(ctx, info.Container, stopGrace)
}

// Remove ends a session for good: its container with everything inside, its keys and its host ports.
func (s *Supervisor) Remove(ctx context.Context, name string) error {
	e, info, err := s.target(ctx, name)
	if err != nil {
		return err
	}
	// Our own part ends first, so that what we did ourselves is not told as a broken connection, and the host ports are free when this returns.
	if x, err := s.session(info.Name); err == nil {
		x.removed()
		<-x.ended
	}
	if err := e.Remove(ctx, info.Container); err != nil {
		return err
	}
	return s.forget(ctx, info.Name)
}

func (s *Supervisor) target(ctx context.Context, name string) (Engine, Info, error) {
	if name == "" {
		return nil, Info{}, &NotFoundError{}
	}
	info, err := s.Find(ctx, name, "")
	if err != nil {
		return nil, Info{}, err
	}
	e, err := s.connect(ctx)
	return e, info, err
}

// Logs returns the last lines that the session's agent wrote.
func (s *Supervisor) Logs(ctx context.Context, name string, lines int) (string, error) {
	e, info, err := s.target(ctx, name)
	if err != nil {
		return "", err
	}
	data, err := e.Logs(ctx, info.Container, lines)
	return string(data), err
}

// PruneOptions say what may go.
type PruneOptions struct {
	All    bool          // also sessions whose containers run and that nobody is attached to
	Older  time.Duration // only what was made at least so long ago
	DryRun bool          // only say what would go
	// KeepImages leaves the images, so that the next start of each repository stays quick.
	KeepImages bool
}

// Pruned is one thing that was, or would be, removed.
type Pruned struct {
	Kind  string // "session", "image", "state", "probe"
	Name  string
	Bytes int64 // disk space, where known
}

// Prune removes what earlier sessions left: containers that do not run and that no process is attached to, images that no container
// uses, and state without a container. It touches only what bears our labels or lies in our state directory.
func (s *Supervisor) Prune(ctx context.Context, o PruneOptions) ([]Pruned, error) {
	e, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	removed, err := s.pruneProbes(ctx, e, o)
	if err != nil {
		return removed, err
	}
	list, err := s.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	kept := map[string]bool{}
	for _, info := range list {
		if !s.prunable(info, o) {
			kept[info.Name] = true
			continue
		}
		if !o.DryRun {
			if err := errors.Join(e.Remove(ctx, info.Container), s.forget(ctx, info.Name)); err != nil {
				return removed, err
			}
		}
		removed = append(removed, Pruned{Kind: "session", Name: info.Name})
	}
	state, err := s.pruneState(ctx, e, kept, list, o)
	removed = append(removed, state...)
	if err != nil {
		return removed, err
	}
	images, err := s.pruneImages(ctx, e, o)
	return append(removed, images...), err
}

// pruneProbes removes what a killed build of an image left: containers that looked at it for a moment.
func (s *Supervisor) pruneProbes(ctx context.Context, e Engine, o PruneOptions) ([]Pruned, error) {
	probes, err := e.Probes(ctx, o.Older)
	if err != nil {
		return nil, err
	}
	var removed []Pruned
	for _, p := range probes {
		if p.Owner() != s.cfg.Store.id {
			continue
		}
		if !o.DryRun {
			if err := e.Remove(ctx, p.ID); err != nil {
				return removed, err
			}
		}
		removed = append(removed, Pruned{Kind: "probe", Name: p.Name})
	}
	return removed, nil
}

func (s *Supervisor) forget(ctx context.Context, name string) error {
	if !ValidName(name) { // a container that bears our label and somebody else's name has no state here
		return nil
	}
	s.forgetRefs(ctx, name)
	return s.cfg.Store.Remove(ctx, name)
}

// forgetRefs removes what the host's repository remembers of a session; its branch stays, which is the work. A repository that is gone has forgotten.
func (s *Supervisor) forgetRefs(ctx context.Context, name string) {
	rec, err := s.cfg.Store.load(name)
	if err != nil || !rec.Ready {
		return
	}
	r, err := repo.Open(ctx, rec.Folder)
	if err == nil {
		err = r.Forget(ctx, name)
	}
	if err != nil {
		s.cfg.Log.Info("the repository still remembers a session", "session", name, "error", err)
	}
}

func (s *Supervisor) prunable(info Info, o PruneOptions) bool {
	if info.Attached || info.Owned || time.Since(info.Created) < o.Older {
		return false
	}
	// A container that was only created may be another process's start under way; after a minute it is a crash's remains.
	return o.All || info.State == Stopped || info.State == Starting && time.Since(info.Created) > time.Minute
}

// pruneState removes folders of sessions that have no container any more.
func (s *Supervisor) pruneState(ctx context.Context, e Engine, kept map[string]bool, list []Info, o PruneOptions) ([]Pruned, error) {
	names, err := s.cfg.Store.Names()
	if err != nil {
		return nil, err
	}
	for _, info := range list {
		kept[info.Name] = true
	}
	var removed []Pruned
	for _, name := range names {
		// A start that is under way in another process has its folder before its container: leave it an hour.
		// One of another engine has its container there.
		if rec, err := s.cfg.Store.load(name); err == nil && rec.Engine != e.Host() {
			continue
		}
		if kept[name] || s.cfg.Store.owned(name) || s.cfg.Store.age(name) < max(o.Older, time.Hour) && !o.All {
			continue
		}
		if !o.DryRun {
			if err := s.forget(ctx, name); err != nil {
				return removed, err
			}
		}
		removed = append(removed, Pruned{Kind: "state", Name: name})
	}
	return removed, nil
}

func (s *Supervisor) pruneImages(ctx context.Context, e Engine, o PruneOptions) ([]Pruned, error) {
	if o.KeepImages {
		return nil, nil
	}
	images, err := e.Images(ctx)
	if err != nil {
		return nil, err
	}
	var removed []Pruned
	for _, i := range images {
		if i.InUse || time.Since(i.Created) < o.Older || i.Owner != "" && i.Owner != s.cfg.Store.id {
			continue
		}
		name := i.ID
		if len(i.Refs) > 0 {
			name = i.Refs[0]
		}
		if !o.DryRun {
			err := e.RemoveImage(ctx, i.ID)
			if errors.Is(err, container.ErrInUse) || errors.Is(err, container.ErrNotFound) {
				continue
			}
			if err != nil {
				return removed, err
			}
		}
		removed = append(removed, Pruned{Kind: "image", Name: name, Bytes: i.Size})
	}
	return removed, nil
}
