package repo

import (
	"context"
	"time"
)

// statusLimit is how long a working tree may take to be looked at: the note is a courtesy.
const statusLimit = 3 * time.Second

// Uncommitted says in one sentence that the working tree has changes that are in no commit, and so do not come along; nothing when it is clean, or
// too large to tell in time.
func (r *Repo) Uncommitted(ctx context.Context) []string {
	if !r.Dirty(ctx) {
		return nil
	}
	return []string{"Changes that are not committed stay on this machine: the session begins at the last commit (up --dirty, or the setting sketch.includeUncommitted, takes them along)."}
}
