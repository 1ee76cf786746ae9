// Package refwatch says when HEAD or a branch of a git repository may have moved: by fsnotify, and by a slow clock where that hears nothing (network file
// systems, exhausted limits). It reads no refs itself, so that how they are stored (loose, packed, reftable) is git's business.
//
// The agent uses it inside for the container's repository, package session on the host for the user's. It has no goroutine but its caller's and fsnotify's, which
// ends with [Watch].
package refwatch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Config says what is watched.
type Config struct {
	Dir       string        // the git directory, with HEAD
	CommonDir string        // the one with the branches; the same but in linked worktrees
	Poll      time.Duration // of the slow clock; 0: ten seconds
	Log       *slog.Logger  // nil: discarded
}

const (
	defaultPoll = 10 * time.Second
	// settle is how long events are gathered: git moves a ref by several steps on the file system.
	settle = 15 * time.Millisecond
	// maxDirs bounds what is watched below refs/heads: more are left to the slow clock.
	maxDirs = 256
)

// Watch calls changed once when it has begun to watch, and again after anything that may have moved a ref, until ctx ends, whose error it returns, or the git
// directory is gone. Calls do not overlap; what happens during one leads to another.
func Watch(ctx context.Context, cfg Config, changed func()) (err error) {
	if cfg.Poll <= 0 {
		cfg.Poll = defaultPoll
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	w := &watch{cfg: cfg, dirs: map[string]bool{}}
	if w.notify, err = fsnotify.NewWatcher(); err != nil {
		cfg.Log.Warn("refs are only polled", "err", err)
	} else {
		defer func() { err = errors.Join(err, w.notify.Close()) }()
		w.events, w.errors = w.notify.Events, w.notify.Errors
	}
	return w.run(ctx, changed)
}

type watch struct {
	cfg    Config
	notify *fsnotify.Watcher // nil: only the clock
	events <-chan fsnotify.Event
	errors <-chan error
	dirs   map[string]bool // watched
}

func (w *watch) run(ctx context.Context, changed func()) error {
	tick := time.NewTicker(w.cfg.Poll)
	defer tick.Stop()
	for {
		w.extend()
		if _, err := os.Stat(w.cfg.Dir); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("watch refs: %w", err)
		}
		changed()
		if err := w.wait(ctx, tick.C); err != nil {
			return err
		}
	}
}

// wait returns when a ref may have moved, after what else comes at once.
func (w *watch) wait(ctx context.Context, tick <-chan time.Time) error {
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick:
			return nil
		case <-settled:
			return nil
		case err := <-w.errors: // an overflow: events were lost
			w.cfg.Log.Debug("watch refs", "err", err)
			return nil
		case event := <-w.events:
			if settled == nil && w.matters(event) {
				timer := time.NewTimer(settle)
				defer timer.Stop()
				settled = timer.C
			}
		}
	}
}

// matters tells refs from what else git does in its directory: indexes, locks, logs.
func (w *watch) matters(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod || strings.HasSuffix(event.Name, ".lock") {
		return false
	}
	switch filepath.Dir(event.Name) {
	case w.cfg.Dir, w.cfg.CommonDir:
		switch filepath.Base(event.Name) {
		case "HEAD", "packed-refs", "refs", "reftable":
			return true
		}
		return event.Name == w.cfg.Dir // it is gone itself
	}
	return true
}

// extend watches the folders that hold refs, those that are new since the last time too.
func (w *watch) extend() {
	if w.notify == nil {
		return
	}
	w.add(w.cfg.Dir)
	w.add(w.cfg.CommonDir)
	w.add(filepath.Join(w.cfg.CommonDir, "reftable"))
	heads := filepath.Join(w.cfg.CommonDir, "refs", "heads")
	w.add(filepath.Dir(heads))
	_ = filepath.WalkDir(heads, func(path string, d fs.DirEntry, err error) error { // a folder that goes meanwhile is an event
		if err != nil {
			return fs.SkipDir
		}
		if d.IsDir() {
			w.add(path)
		}
		if len(w.dirs) >= maxDirs {
			return fs.SkipAll
		}
		return nil
	})
}

func (w *watch) add(dir string) {
	if err := w.notify.Add(dir); err != nil { // adding twice is harmless, and renews the watch of a folder that was made anew
		if !errors.Is(err, fs.ErrNotExist) {
			w.cfg.Log.Debug("watch refs", "dir", dir, "err", err)
		}
		delete(w.dirs, dir)
		return
	}
	w.dirs[dir] = true
}
