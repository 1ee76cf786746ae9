package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/session"
)

// clashing is an engine on which others have sessions: the first names that are tried are theirs.
type clashing struct {
	session.Engine
	left *atomic.Int32
}

func (c clashing) Create(ctx context.Context, spec container.Spec) (container.Container, error) {
	if c.left.Add(-1) >= 0 {
		return container.Container{}, fmt.Errorf("create container: %w", container.ErrNameConflict)
	}
	return c.Engine.Create(ctx, spec)
}

func TestNameOfAnotherStateDirectory(t *testing.T) {
	t.Parallel()
	left := &atomic.Int32{}
	w := open(t, newStore(t), func(c *session.Config) {
		c.Connect = func(ctx context.Context) (session.Engine, error) {
			e, err := connect(ctx)
			return clashing{e, left}, err
		}
	})
	folder := newRepo(t)
	left.Store(1)
	_, err := w.Start(t.Context(), session.StartOptions{Folder: folder, Name: "sketch-of-mine"}, nil)
	if _, taken := errors.AsType[*session.NameTakenError](err); !taken {
		t.Errorf("a name that was asked for: %v", err)
	}
	left.Store(3)
	if info := w.start(folder); info.State != session.Connected {
		t.Errorf("a name of our choice: %+v", info)
	}
}
