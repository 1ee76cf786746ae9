package session_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/session"
)

// blinkered sees the sessions of this test alone: what others left on the engine is not this test's to remove.
type blinkered struct {
	session.Engine
	see []string
}

func (b blinkered) List(ctx context.Context) ([]container.Container, error) {
	all, err := b.Engine.List(ctx)
	return slices.DeleteFunc(all, func(c container.Container) bool { return !slices.Contains(b.see, c.Name) }), err
}

// A session whose state directory was removed is found by another one's prune, when asked for, and no other session is.
func TestPruneOrphans(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "killed")
	killed, err := session.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	first, second := open(t, killed), open(t, newStore(t))
	orphan, stays := first.start(newRepo(t)), second.start(newRepo(t))
	first.close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	w := open(t, newStore(t), func(c *session.Config) {
		c.Connect = func(ctx context.Context) (session.Engine, error) {
			e, err := connect(ctx)
			return blinkered{e, []string{orphan.Name, stays.Name}}, err
		}
	})
	for _, tt := range []struct {
		options     session.PruneOptions
		found, gone bool
	}{
		{session.PruneOptions{All: true}, false, false},
		{session.PruneOptions{Orphans: true, DryRun: true}, true, false},
		{session.PruneOptions{Orphans: true}, true, true},
		{session.PruneOptions{Orphans: true}, false, true},
	} {
		tt.options.KeepImages = true
		removed, err := w.Prune(t.Context(), tt.options)
		if err != nil {
			t.Fatal(err)
		}
		has := func(name string) bool {
			return slices.ContainsFunc(removed, func(p session.Pruned) bool { return p.Name == name })
		}
		if has(orphan.Name) != tt.found || has(stays.Name) || exists(t, orphan.Container) == tt.gone {
			t.Errorf("%+v: removed %+v", tt.options, removed)
		}
	}
	if !exists(t, stays.Container) {
		t.Error("the session of a state directory that is there is gone")
	}
}

// exists tells whether the engine has the container.
func exists(t *testing.T, id string) bool {
	t.Helper()
	e, err := connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = e.Inspect(t.Context(), id)
	if err != nil && !errors.Is(err, container.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
