package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// fileLock is an flock(2): the kernel drops it when its process ends, however it ends, so a killed editor leaves no stale lock.
type fileLock struct{ f *os.File }

// tryLock takes the lock, or returns nil and no error when another process has it.
func tryLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return &fileLock{f}, nil
	}
	closeErr := f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, closeErr
	}
	return nil, fmt.Errorf("take lock: %w", errors.Join(err, closeErr))
}

// Unlock gives the lock back.
func (l *fileLock) Unlock() error { return l.f.Close() }

// lockRetry is how often a waiting process looks again. flock cannot be waited for with a context, and nothing is lost by the delay: it
// bounds how long a session stays without an owner after its owner died.
const lockRetry = 250 * time.Millisecond

// waitLock takes the lock as soon as it is free.
func waitLock(ctx context.Context, path string) (*fileLock, error) {
	tick := time.NewTicker(lockRetry)
	defer tick.Stop()
	for {
		l, err := tryLock(path)
		if l != nil || err != nil {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// lockFolder keeps two starts of one repository apart: the second finds the first's session and attaches to it.
func (s *Store) lockFolder(ctx context.Context, folder string) (*fileLock, error) {
	sum := sha256.Sum256([]byte(folder))
	return waitLock(ctx, filepath.Join(s.dir, "folders", hex.EncodeToString(sum[:8])+".lock"))
}

func (s *Store) ownerLock(name string) string { return s.path(name, "owner.lock") }

// owned tells whether some process owns the session just now.
func (s *Store) owned(name string) bool {
	if !ValidName(name) {
		return false
	}
	l, err := tryLock(s.ownerLock(name))
	if err != nil {
		return false // no directory: nobody can own it
	}
	if l == nil {
		return true
	}
	// The lock was free; having held it for an instant can delay a new owner by one retry, no more.
	return l.Unlock() != nil
}
