package session

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/sketch-ide/sketch-ide/container"
)

// labelState is the label that names the state directory that a session belongs to, by its id. Several users, or one with several state directories, can share an
// engine: nobody sees, enters or prunes the others' sessions.
const labelState = "dev.sketch-ide.state"

// containers lists the engine's containers that are this state directory's sessions.
func (s *Supervisor) containers(ctx context.Context, e Engine) ([]container.Container, error) {
	all, err := e.List(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c container.Container) bool {
		// A step of somebody's image build has whatever labels its Dockerfile says, but not the name.
		return c.Labels[labelState] != s.cfg.Store.id || c.Name != c.Session() || !ValidName(c.Name)
	}), nil
}

// Sessions lists this user's sessions, newest first: what the engine has by our labels, with what the state directory knows of it.
func (s *Supervisor) Sessions(ctx context.Context) ([]Info, error) {
	e, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	containers, err := s.containers(ctx, e)
	if err != nil {
		return nil, err
	}
	list := make([]Info, 0, len(containers))
	for _, c := range containers {
		list = append(list, s.describe(c))
	}
	slices.SortStableFunc(list, func(a, b Info) int { return b.Created.Compare(a.Created) })
	return list, nil
}

// describe joins the engine's view and ours. A container whose keys are lost is listed too: it can still be removed.
func (s *Supervisor) describe(c container.Container) Info {
	if x, err := s.session(c.Session()); err == nil && c.Session() != "" {
		return x.Info()
	}
	info := Info{
		Name: c.Session(), Folder: c.Folder(), State: stateOf(c.State), Container: c.ID, Image: c.Image, Created: c.Created,
		Owned: s.cfg.Store.owned(c.Session()), SSHConfig: s.cfg.Store.path(c.Session(), sshConfigFile),
	}
	rec, err := s.cfg.Store.load(c.Session())
	if err != nil {
		info.Err = err
		return info
	}
	info.Workspace, info.Branch, info.Commit, info.User = rec.Workspace, rec.Branch, rec.Commit, rec.User
	if b, err := s.cfg.Store.loadBranch(rec.Name); err == nil && b.Name != "" {
		info.Branch = b.Name
	}
	if info.Owned {
		if shared, _, err := s.cfg.Store.loadForwards(rec.Name); err == nil {
			info.Forwards = shared.Forwards
		}
	}
	return info
}

// stateOf is the state of a session that this process is not attached to: what the container's alone says.
func stateOf(state container.State) State {
	switch state {
	case container.StateRunning, container.StatePaused, container.StateRestarting:
		return Connected
	case container.StateCreated:
		return Starting
	case container.StateRemoving:
		return Gone
	case container.StateExited, container.StateDead:
	}
	return Stopped
}

// Find returns the session that name means. An empty name means the session of folder, or else the only one there is.
func (s *Supervisor) Find(ctx context.Context, name, folder string) (Info, error) {
	list, err := s.Sessions(ctx)
	if err != nil {
		return Info{}, err
	}
	if name != "" {
		return findNamed(list, name)
	}
	if folder != "" {
		here := slices.DeleteFunc(slices.Clone(list), func(i Info) bool { return i.Folder != folder })
		// The same as Start would attach to: a running one, and then the newest.
		if n := slices.IndexFunc(here, func(i Info) bool { return i.State != Stopped }); n >= 0 {
			return here[n], nil
		}
		if len(here) > 0 {
			return here[0], nil
		}
	}
	switch len(list) {
	case 0:
		return Info{}, &NotFoundError{}
	case 1:
		return list[0], nil
	}
	ambiguous := &AmbiguousError{}
	for _, i := range list {
		ambiguous.Names = append(ambiguous.Names, i.Name)
	}
	return Info{}, ambiguous
}

// findNamed accepts the name without its prefix too: people type `brave-otter`.
func findNamed(list []Info, name string) (Info, error) {
	for _, i := range list {
		if i.Name == name || i.Name == NamePrefix+name {
			return i, nil
		}
	}
	return Info{}, &NotFoundError{Name: name}
}

// Dial opens a connection to a session's SSH server, whether or not this process is attached to it.
func (s *Supervisor) Dial(ctx context.Context, name string) (net.Conn, error) {
	rec, err := s.cfg.Store.load(name)
	if err != nil {
		return nil, err
	}
	e, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := Dialer(e, rec.Container)(ctx)
	if errors.Is(err, container.ErrNotFound) {
		return nil, ErrContainerGone
	}
	return conn, err
}
