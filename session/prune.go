package session

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/repo"
)

// PruneOptions say what may go.
type PruneOptions struct {
	All    bool          // also sessions whose containers run and that nobody is attached to
	Older  time.Duration // only what was made at least so long ago
	DryRun bool          // only say what would go
	// KeepImages leaves the images, so that the next start of each repository stays quick.
	KeepImages bool
	// Branches removes the removed sessions' branches too, where a branch that is none of ours has all of their commits.
	Branches bool
	// Orphans removes other sessions of this machine too whose state directory is gone, keys and all, so that nobody can enter them.
	Orphans bool
}

// Pruned is one thing that was, or would be, removed.
type Pruned struct {
	Kind  string // "session", "image", "state", "probe", "volume", "branch"
	Name  string
	Bytes int64 // disk space, as far as the engine can tell
}

// Prune removes what earlier sessions left: containers that do not run and that no process is attached to, images that no container
// uses, and state without a container. It touches only what bears our labels or lies in our state directory.
func (s *Supervisor) Prune(ctx context.Context, o PruneOptions) ([]Pruned, error) {
	e, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	usage, err := e.DiskUsage(ctx)
	if err != nil {
		s.cfg.Log.Warn("measure disk usage", "error", err) // what is freed is then not known
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
		shared := s.cfg.Store.sharedBytes(info.Name)
		gone, err := s.pruneSession(ctx, e, info, o)
		for _, p := range gone {
			if p.Kind == kindSession {
				p.Bytes = usage.Containers[info.Container] + shared
			}
			removed = append(removed, p)
		}
		if err != nil {
			return removed, err
		}
	}
	orphans, err := s.pruneOrphans(ctx, e, usage, o)
	removed = append(removed, orphans...)
	if err != nil {
		return removed, err
	}
	volumes, err := s.pruneVolumes(ctx, e, kept, list, o)
	removed = append(removed, volumes...)
	if err != nil {
		return removed, err
	}
	s.pruneNetwork(ctx, e, o)
	state, err := s.pruneState(ctx, e, kept, list, o)
	removed = append(removed, state...)
	if err != nil {
		return removed, err
	}
	images, err := s.pruneImages(ctx, e, usage, o)
	return append(removed, images...), err
}

const kindSession = "session"

// pruneSession removes one session, and its branch if that is wanted and costs nothing but a name.
func (s *Supervisor) pruneSession(ctx context.Context, e Engine, info Info, o PruneOptions) (removed []Pruned, err error) {
	if !o.DryRun {
		s.bringOutLast(ctx, e, info)
	}
	if o.Branches {
		branches, err := s.pruneBranches(ctx, info, o)
		if err != nil {
			s.cfg.Log.Warn("remove branches", "session", info.Name, "error", err)
		}
		for _, branch := range branches {
			removed = append(removed, Pruned{Kind: "branch", Name: branch})
		}
	}
	if !o.DryRun {
		if err := errors.Join(e.Remove(ctx, info.Container), s.forget(ctx, info.Name)); err != nil {
			return removed, err
		}
	}
	return append(removed, Pruned{Kind: kindSession, Name: info.Name}), nil
}

// pruneBranches returns the branches that it removed: the session's own, and those that were made inside beside it.
func (s *Supervisor) pruneBranches(ctx context.Context, info Info, o PruneOptions) (removed []string, err error) {
	if !ValidName(info.Name) {
		return nil, nil
	}
	b, err := s.cfg.Store.loadBranch(info.Name)
	if err != nil {
		return nil, err
	}
	r, err := repo.Open(ctx, info.Folder)
	if err != nil {
		return nil, err
	}
	drop := func(owner, branch string) {
		if branch == "" {
			return
		}
		dropped, dropErr := r.DropBranch(ctx, owner, branch, o.DryRun)
		if err = errors.Join(err, dropErr); dropped {
			removed = append(removed, branch)
		}
	}
	// A process that was killed has written Work and not said so: whether it did stands in the repository.
	drop(info.Name, cmp.Or(b.Name, b.Work))
	for _, other := range b.Others {
		drop(repo.Aside(info.Name, other.Inside), other.Name)
	}
	return removed, err
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

func (s *Supervisor) pruneImages(ctx context.Context, e Engine, usage container.Usage, o PruneOptions) ([]Pruned, error) {
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
			err := e.DropImage(ctx, i)
			if errors.Is(err, container.ErrInUse) || errors.Is(err, container.ErrNotFound) {
				continue
			}
			if err != nil {
				return removed, err
			}
		}
		removed = append(removed, Pruned{Kind: "image", Name: name, Bytes: usage.Images[i.ID]})
	}
	return removed, nil
}
