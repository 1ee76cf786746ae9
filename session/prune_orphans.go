package session

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sketch-ide/sketch-ide/container"
)

// Labels that say where a session's state directory is: a path, and whose.
const (
	labelStateDir = "dev.sketch-ide.state-dir"
	labelMachine  = "dev.sketch-ide.machine"
)

// machine is the name that paths are valid on. A container that uses its host's engine has another one, and other files.
func machine() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// pruneOrphans removes sessions whose state directory was removed under them. Running ones go too: without their keys nobody comes in.
func (s *Supervisor) pruneOrphans(ctx context.Context, e Engine, usage container.Usage, o PruneOptions) ([]Pruned, error) {
	if !o.Orphans {
		return nil, nil
	}
	all, err := e.List(ctx)
	if err != nil {
		return nil, err
	}
	var removed []Pruned
	for _, c := range all {
		if !s.orphan(c) || time.Since(c.Created) < o.Older {
			continue
		}
		if !o.DryRun {
			if err := e.Remove(ctx, c.ID); err != nil {
				return removed, err
			}
		}
		removed = append(removed, Pruned{Kind: kindSession, Name: c.Name, Bytes: usage.Containers[c.ID]})
	}
	return removed, nil
}

// orphan: only a folder that certainly is not there counts. One that cannot be looked at may be another user's.
func (s *Supervisor) orphan(c container.Container) bool {
	dir, of := c.Labels[labelStateDir], c.Labels[labelMachine]
	if c.Labels[labelState] == s.cfg.Store.id || c.Name != c.Session() || !ValidName(c.Name) || !filepath.IsAbs(dir) || of == "" || of != machine() {
		return false
	}
	_, err := os.Stat(dir)
	return errors.Is(err, fs.ErrNotExist)
}
