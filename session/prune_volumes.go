package session

import (
	"context"
	"errors"
	"time"

	"github.com/sketch-ide/sketch-ide/container"
)

// pruneVolumes removes the volumes that a repository's devcontainer.json had made and whose folder has no session left. With o.DryRun those in list that would
// go still have theirs.
func (s *Supervisor) pruneVolumes(ctx context.Context, e Engine, kept map[string]bool, list []Info, o PruneOptions) ([]Pruned, error) {
	volumes, err := e.Volumes(ctx)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, info := range list {
		used[info.Folder] = used[info.Folder] || kept[info.Name]
	}
	var removed []Pruned
	for _, v := range volumes {
		if v.Owner != s.cfg.Store.id || used[v.Folder] || time.Since(v.Created) < o.Older {
			continue
		}
		if !o.DryRun {
			err := e.RemoveVolume(ctx, v.Name)
			if errors.Is(err, container.ErrInUse) || errors.Is(err, container.ErrNotFound) {
				continue
			}
			if err != nil {
				return removed, err
			}
		}
		removed = append(removed, Pruned{Kind: "volume", Name: v.Name})
	}
	return removed, nil
}

// pruneNetwork removes the sessions' bridge when the last session is gone, whoever's it was. It holds nothing, so that its end is not told.
func (s *Supervisor) pruneNetwork(ctx context.Context, e Engine, o PruneOptions) {
	if o.DryRun {
		return
	}
	if _, err := e.RemoveNetwork(ctx); err != nil {
		s.cfg.Log.Warn("remove the sessions' network", "error", err)
	}
}
