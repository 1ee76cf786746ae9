package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/repo"
)

var _ repo.PackSharer = (*Session)(nil)

// packsFolder is the name of the folder in the session's own.
const packsFolder = "objects"

// share is a folder of the session's state with copies of the repository's packs, which its container sees read-only. It is filled while the container starts.
// Only where the engine runs on this very machine can a container see a folder at all.
type share struct {
	dir    string
	cancel context.CancelFunc
	done   chan struct{}
	packs  *repo.SharedPacks // this and err are written before done is closed
	err    error

	copied, total atomic.Int64
}

// errNotShared says that objects have to come another way.
var errNotShared = errors.New("no packs are shared with this container")

// sharePacks makes the folder, adds it to b, and begins to fill it, where that is of use; else it returns nil. What it has begun ends with end.
func (s *Supervisor) sharePacks(ctx context.Context, e Engine, r *repo.Repo, name string, b *box) *share {
	if !e.Local() || !r.Sharable() {
		return nil
	}
	for _, m := range b.mounts {
		if m.Target == agent.PacksDir {
			return nil
		}
	}
	dir := s.cfg.Store.path(name, packsFolder)
	if err := errors.Join(os.Mkdir(dir, 0o755), os.Chmod(dir, 0o755)); err != nil { // whatever the umask is
		s.cfg.Log.Warn("share packs", "session", name, "error", err)
		return nil
	}
	b.mounts = append(b.mounts, container.Mount{Type: "bind", Source: dir, Target: agent.PacksDir, ReadOnly: true})
	own := *r // its fields are about to be set for the session
	own.Scratch = s.cfg.Store.path(name)
	ctx, cancel := context.WithCancel(ctx)
	sh := &share{dir: dir, cancel: cancel, done: make(chan struct{})}
	near := s.sharedFor(r.Root)
	// Ends when all is copied, or with ctx; waited for by end.
	go func() {
		defer close(sh.done)
		sh.packs, sh.err = own.SharePacks(ctx, dir, near, sh.progress)
	}()
	return sh
}

// sharedFor lists the folders of the repository's other sessions. Other repositories' could have another pack under the same name.
func (s *Supervisor) sharedFor(root string) (dirs []string) {
	names, err := s.cfg.Store.Names()
	if err != nil {
		s.cfg.Log.Debug("find shared packs", "error", err)
	}
	for _, name := range names {
		if rec, err := s.cfg.Store.load(name); err == nil && rec.Folder == root {
			dirs = append(dirs, s.cfg.Store.path(name, packsFolder))
		}
	}
	return dirs
}

func (sh *share) progress(done, total int64) {
	sh.total.Store(total)
	sh.copied.Store(done)
}

// end stops what is going on and waits for its end.
func (sh *share) end() {
	if sh != nil {
		sh.cancel()
		<-sh.done
	}
}

// drop ends it and removes the folder, which no container sees.
func (sh *share) drop() {
	sh.end()
	_ = os.RemoveAll(sh.dir) // it goes with the session at the latest
}

// refused tells whether err is that the engine does not find the folder.
func (sh *share) refused(err error) bool {
	mount, ok := errors.AsType[*container.MountError](err)
	return ok && sh != nil && mount.Mount.Source == sh.dir
}

// shareTick is how often the progress of a copy is told.
const shareTick = 200 * time.Millisecond

// wait returns what was shared, once it is, and tells report meanwhile how far that is.
func (sh *share) wait(ctx context.Context, report func(string)) (*repo.SharedPacks, error) {
	tick := time.NewTicker(shareTick)
	defer tick.Stop()
	for {
		select {
		case <-sh.done:
			return sh.packs, sh.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
			if total := sh.total.Load(); total > 0 {
				report(repo.CopyProgress(sh.copied.Load(), total))
			}
		}
	}
}

// takeShare gives the session what its start shares with it.
func (s *Session) takeShare(sh *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.share = sh
}

// SharedPacks implements [repo.PackSharer].
func (s *Session) SharedPacks(ctx context.Context, report func(string)) (string, *repo.SharedPacks, error) {
	s.mu.Lock()
	sh := s.share
	s.mu.Unlock()
	if sh == nil {
		return "", nil, errNotShared
	}
	packs, err := sh.wait(ctx, report)
	if err != nil {
		s.log.Info("packs are not shared", "error", err)
		return "", nil, fmt.Errorf("%w: %w", errNotShared, err)
	}
	return agent.PacksDir, packs, nil
}

// sharedFiles lists the session's shared packs.
func (s *Store) sharedFiles(name string) (paths []string) {
	dir := s.path(name, packsFolder, "pack")
	entries, _ := os.ReadDir(dir) // most sessions have none
	for _, entry := range entries {
		paths = append(paths, filepath.Join(dir, entry.Name()))
	}
	return paths
}

// sharedBytes is the disk space that goes with the session's shared packs: those that no other session links to.
func (s *Store) sharedBytes(name string) (bytes int64) {
	for _, path := range s.sharedFiles(name) {
		info, err := os.Lstat(path)
		if err != nil {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink == 1 {
			bytes += info.Size()
		}
	}
	return bytes
}

// syncShared makes the shared packs survive a power cut, which takes longer than copying them.
func (s *Session) syncShared(ctx context.Context) {
	for _, path := range s.store.sharedFiles(s.rec.Name) {
		if ctx.Err() != nil {
			return
		}
		f, err := os.Open(path)
		if err != nil {
			continue // the session is being removed
		}
		s.report("shared packs", errors.Join(f.Sync(), f.Close()))
	}
}
