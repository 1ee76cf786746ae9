package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

// own is the session's election: it waits for the owner's lock while following what the owner forwards, and once it has the lock it keeps
// the forwards itself until ctx ends.
func (s *Session) own(ctx context.Context) error {
	lock, err := s.elect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(s.keepForwards(ctx), lock.Unlock())
}

// elect returns when this process is the owner.
func (s *Session) elect(ctx context.Context) (*fileLock, error) {
	path := s.store.ownerLock(s.rec.Name)
	if lock, err := tryLock(path); lock != nil || err != nil {
		return lock, err
	}
	s.update(func() { s.elected = true })
	ctx, cancel := context.WithCancel(ctx)
	followed := make(chan error, 1)
	// Ends with ctx when the lock is there; waited for below.
	go func() { followed <- s.followOwner(ctx) }()
	lock, err := waitLock(ctx, path)
	cancel()
	if ferr := <-followed; ferr != nil && !errors.Is(ferr, context.Canceled) {
		s.log.Warn("follow owner", "error", ferr)
	}
	return lock, err
}

// keepForwards is the owner's work. The host ports of the last owner are asked for again, so that URLs stay true across windows.
func (s *Session) keepForwards(ctx context.Context) error {
	previous, err := s.store.loadForwards(s.rec.Name)
	if err != nil {
		s.log.Warn("read forwards", "error", err) // remembered ports are a convenience
	}
	s.mu.Lock()
	settings := s.settings
	s.mu.Unlock()
	m := tunnel.NewManager(tunnel.ManagerConfig{
		Dial: s.conn.DialContext, Settings: settings, Remembered: hostPorts(previous), Log: s.log,
		Changed: func(f []tunnel.Forward) { s.update(func() { s.forwards = f }) },
	})
	s.update(func() { s.owner, s.elected, s.manager, s.forwards = true, true, m, nil })
	s.mu.Lock()
	latest, seen, pipe := s.latest, s.seen, s.pipe
	s.mu.Unlock()
	m.SetState(pipe)
	if seen {
		m.Observe(latest)
	}
	err = m.Run(ctx)
	s.update(func() { s.owner, s.manager, s.forwards = false, nil, nil })
	return err
}

func hostPorts(forwards []savedForward) map[uint16]uint16 {
	m := map[uint16]uint16{}
	for _, f := range forwards {
		if f.HostPort != 0 {
			m[f.Port] = f.HostPort
		}
	}
	return m
}

// followOwner reads the owner's forwards at each change until ctx ends.
func (s *Session) followOwner(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch owner: %w", err)
	}
	defer func() { s.report("owner's watch", w.Close()) }()
	// The folder, not the file: the file is replaced at each change, and a watch of it would stay with the old one.
	if err := w.Add(s.store.path(s.rec.Name)); err != nil {
		return fmt.Errorf("watch owner: %w", err)
	}
	s.readOwner()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-w.Errors:
			return fmt.Errorf("watch owner: %w", err)
		case event := <-w.Events:
			if event.Name == s.store.path(s.rec.Name, forwardsFile) {
				s.readOwner()
			}
		}
	}
}

func (s *Session) readOwner() {
	saved, err := s.store.loadForwards(s.rec.Name)
	if err != nil {
		s.log.Warn("read forwards", "error", err)
		return
	}
	s.update(func() { s.forwards = restored(saved) })
}

const forwardsFile = "forwards.json"

// savedForward is a tunnel.Forward in the state directory: the format between the owner and everybody else on this machine.
type savedForward struct {
	Port      uint16        `json:"port"`
	HostPort  uint16        `json:"hostPort,omitempty"`
	Status    tunnel.Status `json:"status"`
	Reason    string        `json:"reason,omitempty"`
	Error     string        `json:"error,omitempty"`
	Process   string        `json:"process,omitempty"`
	PID       int           `json:"pid,omitempty"`
	Label     string        `json:"label,omitempty"`
	Protocol  string        `json:"protocol,omitempty"`
	Action    tunnel.Action `json:"action,omitempty"`
	Addresses []netip.Addr  `json:"addresses,omitempty"`
	Since     time.Time     `json:"since"`
	Opened    uint64        `json:"opened"`
}

func (s *Store) saveForwards(name string, forwards []tunnel.Forward) error {
	saved := make([]savedForward, 0, len(forwards))
	for _, f := range forwards {
		entry := savedForward{
			Port: f.Port, HostPort: f.HostPort, Status: f.Status, Reason: f.Reason, Process: f.Process, PID: f.PID, Label: f.Label,
			Protocol: f.Protocol, Action: f.Action, Addresses: f.Addresses, Since: f.Since, Opened: f.Opened,
		}
		if f.Err != nil {
			entry.Error = f.Err.Error()
		}
		saved = append(saved, entry)
	}
	data, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("encode forwards: %w", err)
	}
	return writeFile(s.path(name, forwardsFile), data, 0o600)
}

func (s *Store) loadForwards(name string) ([]savedForward, error) {
	data, err := os.ReadFile(s.path(name, forwardsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read forwards: %w", err)
	}
	var saved []savedForward
	if err := json.Unmarshal(data, &saved); err != nil {
		return nil, fmt.Errorf("read forwards: %w", err)
	}
	return saved, nil
}

func restored(saved []savedForward) []tunnel.Forward {
	forwards := make([]tunnel.Forward, 0, len(saved))
	for _, e := range saved {
		f := tunnel.Forward{
			Port: e.Port, HostPort: e.HostPort, Status: e.Status, Reason: e.Reason, Process: e.Process, PID: e.PID, Label: e.Label,
			Protocol: e.Protocol, Action: e.Action, Addresses: e.Addresses, Since: e.Since, Opened: e.Opened,
		}
		if e.Error != "" {
			f.Err = errors.New(e.Error)
		}
		forwards = append(forwards, f)
	}
	return forwards
}
