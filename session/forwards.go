package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
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
}

func (s *Store) saveForwards(name string, forwards []tunnel.Forward, memory tunnel.Memory) error {
	list := make([]savedForward, 0, len(forwards))
	for _, f := range forwards {
		entry := savedForward{
			Port: f.Port, Host: f.Host, HostPort: f.HostPort, Status: f.Status, Reason: f.Reason, Process: f.Process, PID: f.PID, Label: f.Label,
			Protocol: f.Protocol, Action: f.Action, Addresses: f.Addresses, Since: f.Since, Opened: f.Opened,
		}
		if f.Err != nil {
			entry.Error = f.Err.Error()
		}
		list = append(list, entry)
	}
	data, err := json.Marshal(saved{list, memory})
	if err != nil {
		return fmt.Errorf("encode forwards: %w", err)
	}
	return writeFile(s.path(name, forwardsFile), data, volatile)
}

// loadForwards reads what the last owner wrote; nothing when there was none.
func (s *Store) loadForwards(name string) ([]tunnel.Forward, tunnel.Memory, error) {
	data, err := os.ReadFile(s.path(name, forwardsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, tunnel.Memory{}, nil
	}
	if err != nil {
		return nil, tunnel.Memory{}, fmt.Errorf("read forwards: %w", err)
	}
	var content saved
	if err := json.Unmarshal(data, &content); err != nil {
		return nil, tunnel.Memory{}, fmt.Errorf("read forwards: %w", err)
	}
	return restored(content.Forwards), content.Memory, nil
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

// Watch hands out what the session's owner forwards, at first and after each change, until ctx ends; while nobody owns the session it is what the last
// owner forwarded.
func (s *Store) Watch(ctx context.Context, name string, changed func([]tunnel.Forward)) (err error) {
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
		forwards, _, err := s.loadForwards(name)
		if err != nil {
			return err
		}
		changed(forwards)
		if err := awaitFile(ctx, w, s.path(name, forwardsFile)); err != nil {
			return err
		}
	}
}

// awaitFile returns when path was written or replaced.
func awaitFile(ctx context.Context, w *fsnotify.Watcher, path string) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-w.Errors:
			return fmt.Errorf("watch forwards: %w", err)
		case event := <-w.Events:
			if event.Name == filepath.Dir(path) && event.Has(fsnotify.Remove) {
				return ErrContainerGone // a session's folder goes with its container
			}
			if event.Name == path && event.Has(fsnotify.Create|fsnotify.Write) {
				return nil
			}
		}
	}
}
