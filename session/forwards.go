package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/sketch-ide/sketch-ide/tunnel"
)

const forwardsFile = "forwards.json"

// savedForward is a tunnel.Forward in the state directory: the format between the owner and everybody else on this machine.
type savedForward struct {
	Port      uint16        `json:"port"`
	Host      string        `json:"host,omitempty"`
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

// saved is what forwards.json holds.
type saved struct {
	Forwards []savedForward `json:"forwards"`
	Memory   tunnel.Memory  `json:"memory"`
	State    State          `json:"state,omitempty"`
	Problem  string         `json:"problem,omitempty"`
}

// Shared is what a session's owner lets every process of this machine know.
type Shared struct {
	Forwards []tunnel.Forward
	State    State // empty when an older version wrote it
	Err      error // why it is not Connected; its text only
	Owned    bool  // the owner lives; else it is what the last one knew
}

func (s *Store) saveForwards(name string, shared Shared, memory tunnel.Memory) error {
	list := make([]savedForward, 0, len(shared.Forwards))
	for _, f := range shared.Forwards {
		entry := savedForward{
			Port: f.Port, Host: f.Host, HostPort: f.HostPort, Status: f.Status, Reason: f.Reason, Process: f.Process, PID: f.PID, Label: f.Label,
			Protocol: f.Protocol, Action: f.Action, Addresses: f.Addresses, Since: f.Since, Opened: f.Opened,
		}
		if f.Err != nil {
			entry.Error = f.Err.Error()
		}
		list = append(list, entry)
	}
	content := saved{Forwards: list, Memory: memory, State: shared.State}
	if shared.Err != nil {
		content.Problem = shared.Err.Error()
	}
	data, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("encode forwards: %w", err)
	}
	return writeFile(s.path(name, forwardsFile), data, volatile)
}

// loadForwards reads what the last owner wrote; nothing when there was none.
func (s *Store) loadForwards(name string) (Shared, tunnel.Memory, error) {
	content, err := readJSON[saved]("forwards", s.path(name, forwardsFile))
	if err != nil {
		return Shared{}, tunnel.Memory{}, err
	}
	shared := Shared{Forwards: restored(content.Forwards), State: content.State}
	if content.Problem != "" {
		shared.Err = errors.New(content.Problem)
	}
	return shared, content.Memory, nil
}

func restored(list []savedForward) []tunnel.Forward {
	forwards := make([]tunnel.Forward, 0, len(list))
	for _, e := range list {
		f := tunnel.Forward{
			Port: e.Port, Host: e.Host, HostPort: e.HostPort, Status: e.Status, Reason: e.Reason, Process: e.Process, PID: e.PID, Label: e.Label,
			Protocol: e.Protocol, Action: e.Action, Addresses: e.Addresses, Since: e.Since, Opened: e.Opened,
		}
		if e.Error != "" {
			f.Err = errors.New(e.Error)
		}
		forwards = append(forwards, f)
	}
	return forwards
}

// ownerCheck is how often Watch looks whether the owner lives: one that is killed writes nothing.
const ownerCheck = 2 * time.Second

// Watch hands out what the session's owner shares, at first and after each change, until ctx ends; while nobody owns the session it is what the last
// owner shared.
func (s *Store) Watch(ctx context.Context, name string, changed func(Shared)) error {
	ticker := time.NewTicker(ownerCheck)
	defer ticker.Stop()
	var last Shared
	return s.follow(ctx, name, ticker.C, func(shared *Shared) {
		if shared != nil {
			last = *shared
		} else if s.owned(name) == last.Owned {
			return
		}
		last.Owned = s.owned(name)
		changed(last)
	})
}

// follow hands out what the session's owner shares, and nil at each tick.
func (s *Store) follow(ctx context.Context, name string, tick <-chan time.Time, changed func(*Shared)) (err error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch forwards: %w", err)
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	// The folder, not the file: the file is replaced at each change, and a watch of it would stay with the old one.
	if err := w.Add(s.path(name)); err != nil {
		return fmt.Errorf("watch forwards: %w", err)
	}
	for {
		shared, _, err := s.loadForwards(name)
		if err != nil {
			return err
		}
		changed(&shared)
		for ticked := true; ticked; {
			if ticked, err = awaitFile(ctx, w, s.path(name, forwardsFile), tick); err != nil {
				return err
			}
			if ticked {
				changed(nil)
			}
		}
	}
}

// awaitFile returns when path was written or replaced, or at a tick.
func awaitFile(ctx context.Context, w *fsnotify.Watcher, path string, tick <-chan time.Time) (ticked bool, err error) {
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-tick:
			return true, nil
		case err := <-w.Errors:
			return false, fmt.Errorf("watch %s: %w", filepath.Base(path), err)
		case event := <-w.Events:
			if event.Name == filepath.Dir(path) && event.Has(fsnotify.Remove) {
				return false, ErrContainerGone // a session's folder goes with its container
			}
			if event.Name == path && event.Has(fsnotify.Create|fsnotify.Write) {
				return false, nil
			}
		}
	}
}
