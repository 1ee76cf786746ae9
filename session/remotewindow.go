package session

import (
	"context"
	"slices"
	"time"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// RemoteWindow is an editor's window that is attached to the session by Remote-SSH; zero: none is.
type RemoteWindow struct {
	Editor string // "VS Code"
	// Forwards says that the window forwards ports by itself, and tells of them, as the user's settings inside have it. Ours are then made without a word.
	Forwards bool
}

// remoteWindowPeriod is how often it is asked whether a window is attached, while a server for windows is there.
const remoteWindowPeriod = time.Second

// followRemoteWindows keeps whether a window is attached by Remote-SSH. Such a window has a server of its editor's inside, which listens, and a connection to
// it that comes by SSH. While there is no such server nothing is asked.
func (s *Session) followRemoteWindows(ctx context.Context) {
	client := agent.NewClient(s.conn.DialContext)
	defer client.Close()
	tick := time.NewTicker(remoteWindowPeriod)
	defer tick.Stop()
	for {
		servers, changed := s.editorServers()
		s.remoteIs(ctx, s.attachedWindow(ctx, client, servers))
		var again <-chan time.Time
		if len(servers) > 0 {
			again = tick.C
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}

// maxEditorServers bounds what a container can have us ask.
const maxEditorServers = 4

// editorServers lists the ports on which servers for windows listen, until changed is closed.
func (s *Session) editorServers() (servers []ports.Port, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.latest.Ports {
		if len(servers) < maxEditorServers && tunnel.EditorServer(p) != "" {
			servers = append(servers, p)
		}
	}
	return servers, s.servers
}

// attachedWindow is the editor of the first server that somebody has come to by SSH, or "". That the connection is down is no news of windows.
func (s *Session) attachedWindow(ctx context.Context, client *agent.Client, servers []ports.Port) string {
	for _, p := range servers {
		n, err := client.Visitors(ctx, p.Number)
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.remote.Editor
		}
		if n > 0 {
			return tunnel.EditorServer(p)
		}
	}
	return ""
}

// remoteIs notes which editor's window is attached. A new one is asked, by its settings, to leave the ports to us, as it is when it is opened through us;
// where the user's own settings say otherwise, it is us who keep quiet.
func (s *Session) remoteIs(ctx context.Context, editor string) {
	s.mu.Lock()
	same := s.remote.Editor == editor
	s.mu.Unlock()
	if same {
		return
	}
	now := RemoteWindow{Editor: editor}
	if editor != "" {
		yields, err := s.quietenWindows(ctx)
		if err != nil {
			s.log.Debug("ask a window to leave the ports to us", "error", err)
			return // the connection broke, or will; asked again with the next tick
		}
		now.Forwards = !yields
	}
	if now.Forwards && s.isOwner() {
		s.problem(&RemoteWindowError{Name: s.rec.Name, Editor: editor})
	}
	s.mu.Lock()
	s.remote = now
	m, merged := s.settingsChangedLocked()
	s.mu.Unlock()
	if m != nil {
		m.Configure(merged)
	}
	s.update(func() {}) // tells it
}

// sameEditorServers tells whether two snapshots name the same servers for windows.
func sameEditorServers(a, b ports.Snapshot) bool {
	list := func(s ports.Snapshot) (numbers []uint16) {
		for _, p := range s.Ports {
			if tunnel.EditorServer(p) != "" {
				numbers = append(numbers, p.Number)
			}
		}
		return numbers
	}
	return slices.Equal(list(a), list(b))
}
