package devcontainer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watch calls changed when the devcontainer.json that [Find] finds may have become another one: written, replaced, removed, made, or
// its folder or root so. It says only that it is time to look again: there may be nothing new, and several changes at once are told
// once, about 100 ms after the last and at most 1 s after the first. The first call, right after the start, is for what
// changed before. changed is called from this goroutine; while it runs, changes are kept.
//
// Watch returns nil when ctx has ended, and an error when the system has no more watches to give. Not seen are changes that the system does not report
// (some network file systems), and that a folder above root's parent was renamed.
func Watch(ctx context.Context, root string, changed func()) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return fmt.Errorf("watch devcontainer.json: %w", err)
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch devcontainer.json: %w", err)
	}
	troubles := make(chan struct{}, 1)
	var group sync.WaitGroup
	// Ended by notify.Close, waited for right after it.
	group.Go(func() { collectTroubles(notify.Errors, troubles) })
	err = newWatch(root, notify).run(ctx, troubles, changed)
	closeErr := notify.Close()
	group.Wait()
	if err = errors.Join(err, closeErr); err != nil {
		return fmt.Errorf("watch devcontainer.json: %w", err)
	}
	return nil
}

// collectTroubles makes one sign of any number of errors: whatever it was (an overflow, mostly), the answer is to look at everything again. It has a
// goroutine of its own because fsnotify sends errors while holding the lock that adding a watch needs.
func collectTroubles(errs <-chan error, troubles chan<- struct{}) {
	for range errs {
		select {
		case troubles <- struct{}{}:
		default: // the sign that is there already stands for this one too
		}
	}
}

// run tells changes until ctx ends.
func (w *watch) run(ctx context.Context, troubles <-chan struct{}, changed func()) error {
	var s settle
	timer := time.NewTimer(s.touch(time.Now()))
	defer timer.Stop()
	if _, err := w.sync(); err != nil {
		return err
	}
	for {
		var again bool // something is to be told
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-troubles:
			w.forget(everything)
			again = true // sync follows when it is told: errors that keep coming make no work
		case event := <-w.notify.Events:
			again, err = w.take(event)
		case <-timer.C:
			s.told()
			again, err = w.sync()
			if err == nil && ctx.Err() == nil {
				changed()
			}
		}
		if err != nil {
			return err
		}
		if again {
			timer.Reset(s.touch(time.Now()))
		}
	}
}
