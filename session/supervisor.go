package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/agentbin"
	"github.com/sketch-ide/sketch-ide/gateway"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

// Config is what a Supervisor needs.
type Config struct {
	Store   *Store                                // required
	Connect func(context.Context) (Engine, error) // required; called at the first need of an engine and again after it was lost
	Version string
	// Program is the path of sketch-ide, which OpenSSH calls to reach a session; empty: this process's own.
	Program string
	// Observer hears of every session that this process is attached to; nil: nobody.
	Observer Observer
	// Agents hears of their agents; nil: nobody.
	Agents AgentObserver
	// Gateway is the agents' way to the models' servers; nil: one of this process's environment.
	Gateway *gateway.Gateway
	// LostAfter is the length of an outage from which on a session is Lost; 0: the tunnel's default, one minute.
	LostAfter time.Duration
	Log       *slog.Logger // nil: slog.Default
}

// Settings are what the user decides about sessions to come and, for the forwards, about running ones.
type Settings struct {
	BaseImage string // the image of generated Dockerfiles; empty: container.DefaultBaseImage
	Container ContainerSettings
	// ForwardAgent lets OpenSSH hand the user's ssh-agent to sessions, in connections that it makes from now on.
	ForwardAgent bool
	Forwards     tunnel.Settings // which ports are forwarded, and how they are told
	// IncludeUncommitted makes new sessions begin with what is not committed on the host too.
	IncludeUncommitted bool
	Pull               PullLimits
	Models             gateway.Settings
	Agent              AgentSettings
}

// Supervisor holds this process's sessions. Its methods may be called from any goroutine once Run runs.
type Supervisor struct {
	cfg     Config
	gateway *gateway.Gateway
	agents  agentbin.Names

	mu       sync.Mutex
	settings Settings
	sessions map[string]*Session // attached, by name
	engine   Engine              // nil until needed
	runCtx   context.Context     // nil until Run, and after it
	group    sync.WaitGroup      // one for each attached session
	ready    chan struct{}       // closed when Run has begun
}

// NewSupervisor returns a supervisor that does nothing until Run.
func NewSupervisor(cfg Config) *Supervisor {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Gateway == nil {
		cfg.Gateway = gateway.New(gateway.Config{Version: cfg.Version, Log: cfg.Log.With("part", "gateway")})
	}
	return &Supervisor{cfg: cfg, gateway: cfg.Gateway, sessions: map[string]*Session{}, ready: make(chan struct{})}
}

// Run keeps the attached sessions until ctx ends; it returns when all of them are detached: host ports closed, connections gone,
// containers left running.
func (s *Supervisor) Run(ctx context.Context) error {
	s.mu.Lock()
	s.runCtx = ctx
	s.mu.Unlock()
	close(s.ready)
	<-ctx.Done()

	s.mu.Lock()
	s.runCtx = nil // no session starts from here on, so the wait below ends
	s.mu.Unlock()
	s.group.Wait()
	s.gateway.Close()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine == nil {
		return nil
	}
	return s.engine.Close()
}

// Configure takes new settings; the forwards of running sessions, and what OpenSSH may hand over to them, follow at once.
func (s *Supervisor) Configure(settings Settings) {
	s.mu.Lock()
	agentChanged := s.settings.ForwardAgent != settings.ForwardAgent
	s.settings = settings
	running := s.attachedLocked()
	s.mu.Unlock()
	for _, x := range running {
		x.configure(settings.Forwards)
		x.limit(settings.Pull)
	}
	if agentChanged {
		s.rewriteSSH(running)
	}
	s.gateway.Configure(settings.Models)
	s.configureAgents()
}

func (s *Supervisor) attachedLocked() []*Session {
	list := make([]*Session, 0, len(s.sessions))
	for _, x := range s.sessions {
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b *Session) int { return a.rec.Created.Compare(b.rec.Created) })
	return list
}

func (s *Supervisor) currentSettings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// connect returns the engine, reaching it first where that has not been done. A failure is not remembered: Docker may be started meanwhile.
func (s *Supervisor) connect(ctx context.Context) (Engine, error) {
	s.mu.Lock()
	e := s.engine
	s.mu.Unlock()
	if e != nil {
		return e, nil
	}
	e, err := s.cfg.Connect(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine != nil { // another caller was quicker
		return s.engine, e.Close()
	}
	s.engine = e
	return e, nil
}

// attach begins to keep the session rec, or returns the one that is kept already.
func (s *Supervisor) attach(ctx context.Context, e Engine, rec record) (*Session, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if x, ok := s.sessions[rec.Name]; ok {
		return x, nil
	}
	if s.runCtx == nil {
		return nil, ErrClosed
	}
	x, err := newSession(sessionConfig{
		engine: e, store: s.cfg.Store, rec: rec, settings: s.settings.Forwards, observer: s.cfg.Observer, lostAfter: s.cfg.LostAfter,
		agents: s.cfg.Agents, gateway: s.gateway, agentSettings: s.agentSettingsLocked(),
		log: s.cfg.Log.With("session", rec.Name),
	})
	if err != nil {
		return nil, err
	}
	x.limit(s.settings.Pull)
	s.sessions[rec.Name] = x
	runCtx := s.runCtx
	// Ends with Run's context, with detach, or when its container is removed; Run waits for it.
	s.group.Go(func() {
		x.run(runCtx)
		s.mu.Lock()
		delete(s.sessions, rec.Name)
		s.mu.Unlock()
	})
	return x, nil
}

// session returns the attached session of that name; with an empty name, the only one.
func (s *Supervisor) session(name string) (*Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != "" {
		if x, ok := s.sessions[name]; ok {
			return x, nil
		}
		return nil, &NotFoundError{Name: name}
	}
	list := s.attachedLocked()
	switch len(list) {
	case 0:
		return nil, &NotFoundError{}
	case 1:
		return list[0], nil
	}
	return nil, ambiguous(list)
}

func ambiguous(list []*Session) error {
	e := &AmbiguousError{}
	for _, x := range list {
		e.Names = append(e.Names, x.rec.Name)
	}
	return e
}

// Detach ends this process's part in the session; the container stays. Detaching from what is not attached does nothing.
func (s *Supervisor) Detach(name string) {
	s.mu.Lock()
	x := s.sessions[name]
	s.mu.Unlock()
	if x != nil {
		x.detach()
	}
}

// Info returns the attached session's state; an empty name means the only one.
func (s *Supervisor) Info(name string) (Info, error) {
	x, err := s.session(name)
	if err != nil {
		return Info{}, err
	}
	return x.Info(), nil
}

// Forward adds an explicit forward of the container's port to hostPort (0: the same number, or the next free one).
func (s *Supervisor) Forward(ctx context.Context, name string, port, hostPort uint16) (tunnel.Forward, error) {
	m, err := s.manager(name)
	if err != nil {
		return tunnel.Forward{}, err
	}
	return m.Forward(ctx, port, hostPort)
}

// Unforward closes the host's listener for the container's port until the port is forwarded again by hand.
func (s *Supervisor) Unforward(ctx context.Context, name string, port uint16) error {
	m, err := s.manager(name)
	if err != nil {
		return err
	}
	return m.Unforward(ctx, port)
}

func (s *Supervisor) manager(name string) (*tunnel.Manager, error) {
	x, err := s.session(name)
	if err != nil {
		return nil, err
	}
	if m := x.currentManager(); m != nil {
		return m, nil
	}
	return nil, ErrNotOwner
}

// joinContext is ctx's error, with its cause where that says more.
func joinContext(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, ctx.Err()) {
		return cause
	}
	return ctx.Err()
}
