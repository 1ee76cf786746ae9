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
	return devcontainer.Watch(ctx, s.rec.Folder, s.readRepository)
}

// readRepository reads devcontainer.json. What is wrong with it is told, and not again as long as it stays. What could be understood counts; where nothing
// could, because the file is half written or half edited, what it said before does.
func (s *Session) readRepository() {
	settings, err := repositorySettings(s.rec.Folder)
	wrong := ""
	if err != nil {
		wrong = err.Error()
	}
	s.mu.Lock()
	told := wrong == s.wrong
	s.wrong = wrong
	if problem, ok := errors.AsType[*RepositorySettingsError](err); !ok || !problem.Whole {
		s.repository = settings
	}
	m, merged := s.settingsChangedLocked()
	s.mu.Unlock()
	if m != nil {
		m.Configure(merged)
	}
	if err != nil && !told {
		s.problem(err)
	}
}

// repositorySettings fails with a RepositorySettingsError, beside whatever could be understood.
func repositorySettings(folder string) (tunnel.Settings, error) {
	path, err := devcontainer.Find(folder)
	if errors.Is(err, devcontainer.ErrNotFound) {
		return tunnel.Settings{}, nil
	}
	if err != nil {
		return tunnel.Settings{}, &RepositorySettingsError{Err: err, Whole: true}
	}
	config, err := devcontainer.Load(path)
	if errors.Is(err, fs.ErrNotExist) { // removed since
		return tunnel.Settings{}, nil
	}
	if _, keys := errors.AsType[*devcontainer.KeyError](err); err != nil && !keys {
		return tunnel.Settings{}, &RepositorySettingsError{Err: err, Whole: true}
	}
	settings, portsErr := tunnel.DecodeSettings(config.Ports())
	if err = errors.Join(err, portsErr); err != nil {
		return settings, &RepositorySettingsError{Err: err}
	}
	return settings, nil
}
