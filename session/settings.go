package session

import (
	"context"
	"errors"
	"io/fs"

	"github.com/sketch-ide/sketch-ide/devcontainer"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// configure takes the user's settings for the ports. The repository's own (devcontainer.json) stand behind them.
func (s *Session) configure(settings tunnel.Settings) {
	s.mu.Lock()
	s.settings = settings
	m, merged := s.settingsChangedLocked()
	s.mu.Unlock()
	if m != nil {
		m.Configure(merged)
	}
}

// settingsChangedLocked returns what the manager, if there is one, is to be told.
func (s *Session) settingsChangedLocked() (*tunnel.Manager, tunnel.Settings) {
	s.inputs++
	s.changedLocked()
	return s.manager, s.portSettingsLocked()
}

// portSettingsLocked are the settings as the forwards follow them now.
func (s *Session) portSettingsLocked() tunnel.Settings {
	merged := s.settings.Over(s.repository)
	merged.Quiet = s.remote.Forwards
	return merged
}

// followRepository keeps what the repository's devcontainer.json says of ports, as it stands in the host's working tree. It is read before the first
// forward, and again whenever it may have changed.
func (s *Session) followRepository(ctx context.Context) error {
	var told string
	return devcontainer.Watch(ctx, s.rec.Folder, func() { told = s.readRepository(told) })
}

// readRepository reads devcontainer.json. What is wrong with it is told once, and what could be understood counts; the same mistake is not told again, for
// which it returns what was told.
func (s *Session) readRepository(told string) string {
	settings, err := repositorySettings(s.rec.Folder)
	s.mu.Lock()
	s.repository = settings
	m, merged := s.settingsChangedLocked()
	s.mu.Unlock()
	if m != nil {
		m.Configure(merged)
	}
	if err == nil {
		return ""
	}
	if text := err.Error(); text != told && s.observer != nil {
		s.observer.Problem(s.rec.Name, &RepositorySettingsError{Err: err})
		return text
	}
	return told
}

func repositorySettings(folder string) (tunnel.Settings, error) {
	path, err := devcontainer.Find(folder)
	if errors.Is(err, devcontainer.ErrNotFound) {
		return tunnel.Settings{}, nil
	}
	if err != nil {
		return tunnel.Settings{}, err
	}
	config, err := devcontainer.Load(path)
	if errors.Is(err, fs.ErrNotExist) { // removed since
		return tunnel.Settings{}, nil
	}
	settings, portsErr := tunnel.DecodeSettings(config.Ports())
	return settings, errors.Join(err, portsErr)
}
