package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

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
	s.bringOutLast(ctx, e, info)
	marked := s.cfg.Store.markStop(info.Name)
	if err := e.Stop(ctx, info.Container, stopGrace); err != nil {
		return errors.Join(err, s.cfg.Store.unmarkStop(info.Name))
	}
	if x, err := s.session(info.Name); err == nil {
		x.awaitRelease(ctx)
	}
	return marked
}

// releaseTimeout bounds awaitRelease: the engine's news may be slow.
const releaseTimeout = 5 * time.Second

// awaitRelease waits until this process has no host port of the session any more, now that its container was stopped.
func (s *Session) awaitRelease(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	for {
		s.mu.Lock()
		released, changed := s.stopped != nil && (!s.owner || len(s.forwards) == 0), s.changed
		s.mu.Unlock()
		if released {
			return
		}
		select {
		case <-changed:
		case <-s.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// stoppedFile marks a container that was stopped on purpose. The engine tells of its end as of any other, and it is another process, maybe, that has
// its host ports.
const stoppedFile = "stopped"

func (s *Store) markStop(name string) error {
	if !ValidName(name) || !s.Exists(name) { // another state directory's session
		return nil
	}
	return writeFile(s.path(name, stoppedFile), nil, volatile)
}

func (s *Store) wasStopped(name string) bool {
	_, err := os.Stat(s.path(name, stoppedFile))
	return err == nil
}

func (s *Store) unmarkStop(name string) error {
	if !ValidName(name) {
		return nil
	}
	if err := os.Remove(s.path(name, stoppedFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the stop: %w", err)
	}
	return nil
}

// Remove ends a session for good: its container with everything inside, its keys and its host ports. What was committed inside is brought out before, where
// that can be done.
func (s *Supervisor) Remove(ctx context.Context, name string) error {
	e, info, err := s.target(ctx, name)
	if err != nil {
		return err
	}
	s.bringOutLast(ctx, e, info)
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

// forget removes what is kept of a session outside of its container.
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
	var kept string
	r, err := repo.Open(ctx, rec.Folder)
	if err == nil {
		kept, err = r.Forget(ctx, name)
	}
	if err != nil || kept != "" {
		s.cfg.Log.Info("the repository still remembers a session", "session", name, "kept", kept, "error", err)
	}
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
