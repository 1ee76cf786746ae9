package ports

import (
	"context"
	"sync"
	"testing/synctest"
	"time"
)

// A fakeKernel is a socket table, its owners and its push of closes, for tests with
// synthetic time.
type fakeKernel struct {
	mu     sync.Mutex
	rows   []Listener
	err    error
	own    map[uint32]bool
	owners map[uint32]process
	slow   map[uint32]time.Duration // how long an owner takes to be found
	scans  []time.Duration          // when, since the start
	asked  []uint32                 // inodes whose owner was looked for
	opened int
	closed int

	start time.Time
	push  func()
}

func newFakeKernel() *fakeKernel {
	return &fakeKernel{start: time.Now(), own: map[uint32]bool{}, owners: map[uint32]process{}, slow: map[uint32]time.Duration{}}
}

// monitor returns one that watches the fake.
func (k *fakeKernel) monitor(cfg MonitorConfig) *Monitor {
	if cfg.Sources == nil {
		cfg.Sources = []OpenSource{k.open}
	}
	m := NewMonitor(cfg)
	m.owners = k
	m.closes = func(ctx context.Context, wake func()) error {
		k.setPush(wake)
		defer k.setPush(nil)
		<-ctx.Done()
		return nil
	}
	return m
}

func (k *fakeKernel) setPush(push func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.push = push
}

// watched says whether a push would reach somebody.
func (k *fakeKernel) watched() bool {
	synctest.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.push != nil
}

func (k *fakeKernel) listen(rows ...Listener) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rows = rows
}

// handOn gives a socket to another process; a zero one stands for somebody who cannot be seen.
func (k *fakeKernel) handOn(inode uint32, heir process) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.owners, inode)
	if heir.pid != 0 {
		k.owners[inode] = heir
	}
}

func (k *fakeKernel) fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// scanned returns when scans were made since the last call.
func (k *fakeKernel) scanned() []time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	scans := k.scans
	k.scans = nil
	return scans
}

func (k *fakeKernel) open(context.Context) (Source, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.opened++
	return k, nil
}

func (k *fakeKernel) Name() string { return "fake" }

func (k *fakeKernel) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed++
	return nil
}

func (k *fakeKernel) Listeners(_ context.Context, dst []Listener) ([]Listener, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.scans = append(k.scans, time.Since(k.start))
	return append(dst, k.rows...), k.err
}

func (k *fakeKernel) ours() map[uint32]bool { return k.own }

func (k *fakeKernel) find(inodes []uint32, deadline time.Time) (map[uint32]process, bool) {
	found, complete := map[uint32]process{}, true
	for _, inode := range inodes {
		k.mu.Lock()
		owner, known := k.owners[inode]
		delay := k.slow[inode]
		k.asked = append(k.asked, inode)
		k.mu.Unlock()
		if until := time.Until(deadline); delay > until {
			time.Sleep(until)
			complete = false
			continue
		}
		time.Sleep(delay)
		if known {
			found[inode] = owner
		}
	}
	return found, complete
}

func (k *fakeKernel) holds(p process, inode uint32) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.owners[inode] == p
}
