package session

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/gateway"
	"github.com/sketch-ide/sketch-ide/internal/sshwire"
	"github.com/sketch-ide/sketch-ide/ports"
	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

type sessionConfig struct {
	engine        Engine
	store         *Store
	rec           record
	settings      tunnel.Settings
	observer      Observer
	agents        AgentObserver
	gateway       *gateway.Gateway
	agentSettings AgentSettings
	lostAfter     time.Duration
	log           *slog.Logger
}

// Session is one session that this process is attached to.
type Session struct {
	sessionConfig
	conn     *tunnel.Conn
	agent    *agentPart
	quit     chan struct{}  // closed by detach
	once     sync.Once      // guards the closing of quit
	ended    chan struct{}  // closed when run has returned
	wake     chan struct{}  // capacity 1: there is something new to tell; more of it before it was told changes nothing
	works    sync.WaitGroup // what background began
	attached sync.Once      // guards runBeside
	saves    chan toSave    // capacity 1: the owner's latest state, to be written

	mu         sync.Mutex      // guards the fields below; nothing is called while it is held
	running    context.Context // run's, while it runs
	inside     insideState
	pipe       tunnel.State
	stopped    *StoppedError // the container does not run
	begun      int           // how often it was seen to start
	gone       bool          // the container was removed
	owner      bool
	elected    bool // whether this process is the owner has been decided a first time
	forwards   []tunnel.Forward
	manager    *tunnel.Manager // nil unless owner
	repository tunnel.Settings // what devcontainer.json says of ports
	wrong      string          // what was told to be wrong with it
	latest     ports.Snapshot  // for the manager of a later owner
	servers    chan struct{}   // closed and replaced when latest has other servers of editors
	remote     RemoteWindow
	seen       bool       // latest was set
	inputs     uint64     // how often pipe, latest or settings have changed
	repo       *repo.Repo // serves the fetches; nil until the first
	branch     Branch     // as the file has it; empty until there is one
	work       string     // the branch inside, as the file has it
	carry      bool       // the start takes uncommitted changes along
	share      *share     // what the start shares; nil where that is nothing
	pullLimits PullLimits
	changed    chan struct{} // closed and replaced at each change
}

// insideState is what of the record becomes known while the session starts.
type insideState struct {
	ready          bool
	branch, commit string
	baseBranch     string
}

func newSession(cfg sessionConfig) (*Session, error) {
	signer, err := cfg.rec.Client.signer()
	if err != nil {
		return nil, &KeysLostError{Name: cfg.rec.Name, Err: err}
	}
	hostKey, err := keyPair{Public: cfg.rec.HostKey}.publicKey()
	if err != nil {
		return nil, &KeysLostError{Name: cfg.rec.Name, Err: err}
	}
	s := &Session{
		sessionConfig: cfg,
		quit:          make(chan struct{}),
		ended:         make(chan struct{}),
		wake:          make(chan struct{}, 1),
		saves:         make(chan toSave, 1),
		servers:       make(chan struct{}),
		changed:       make(chan struct{}),
		inside:        insideState{ready: cfg.rec.Ready, branch: cfg.rec.Branch, commit: cfg.rec.Commit, baseBranch: cfg.rec.BaseBranch},
	}
	s.conn = tunnel.NewConn(tunnel.ConnConfig{
		Dial:    Dialer(cfg.engine, cfg.rec.Container),
		User:    cfg.rec.User,
		Signer:  signer,
		HostKey: hostKey,
		Serve: map[string]func(context.Context, []byte, io.ReadWriteCloser){
			sshwire.ChannelGit: s.serveGit,
			sshwire.ChannelLLM: s.serveLLM,
		},
		Willing:    func(channel string) bool { return channel != sshwire.ChannelLLM || s.isOwner() },
		Changed:    s.pipeChanged,
		BackoffMin: 5 * time.Millisecond, // a container that has just started listens some tens of milliseconds later
		LostAfter:  cfg.lostAfter,
		Log:        cfg.log,
	})
	s.agent = newAgentPart(s, cfg.gateway, cfg.agentSettings)
	return s, nil
}

// run keeps the session until ctx ends, detach is called, or the container is removed.
func (s *Session) run(ctx context.Context) {
	defer close(s.ended)
	ctx, cancel := context.WithCancel(ctx)
	wait := s.serveBackground(ctx)
	var group sync.WaitGroup
	// All end with ctx, which the publisher's return cancels; they are waited for right below.
	group.Go(func() { s.report("connection", s.conn.Run(ctx)) })
	group.Go(func() { s.watchContainer(ctx) })
	group.Go(func() { s.followPorts(ctx) })
	group.Go(func() { s.followRemoteWindows(ctx) })
	group.Go(func() { s.runAgent(ctx) })
	group.Go(func() { s.report("ownership", s.own(ctx)) })
	group.Go(func() { s.keepSaved(ctx) })
	group.Go(func() { s.report("devcontainer.json", s.followRepository(ctx)) })
	group.Go(func() { s.report("branch", s.followBranch(ctx)) })
	s.publish(ctx)
	cancel()
	group.Wait()
	wait()
}

func (s *Session) report(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, tunnel.ErrGone) {
		s.log.Error("session part ended", "part", what, "error", err)
	}
}

// detach ends run and waits for it.
func (s *Session) detach() {
	s.once.Do(func() { close(s.quit) })
	<-s.ended
}

// update changes the guarded fields and lets everybody who waits know.
func (s *Session) update(change func()) {
	s.mu.Lock()
	change()
	s.changedLocked()
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // the publisher has not yet taken the last one, and will see this change too
	}
}

func (s *Session) changedLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Session) pipeChanged(state tunnel.State) {
	var m *tunnel.Manager
	s.update(func() { s.pipe, m = state, s.manager; s.inputs++ })
	if m != nil {
		m.SetState(state)
	}
}

func (s *Session) currentManager() *tunnel.Manager {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.manager
}

// observe passes on which ports are open inside.
func (s *Session) observe(snapshot ports.Snapshot) {
	s.mu.Lock()
	if !sameEditorServers(s.latest, snapshot) {
		close(s.servers)
		s.servers = make(chan struct{})
	}
	s.latest, s.seen = snapshot, true
	s.inputs++
	m := s.manager
	s.mu.Unlock()
	if m != nil {
		m.Observe(snapshot)
	}
}

// watchContainer keeps what the engine knows of the container, and gives the connection a push when it is back.
func (s *Session) watchContainer(ctx context.Context) {
	for event := range s.engine.Events(ctx, s.rec.Container) {
		switch event.Type {
		case container.EventSubscribed:
			s.inspect(ctx)
			s.conn.Kick() // the news that it is back may have passed while the engine was not heard
		case container.EventStart, container.EventUnpause:
			s.started()
		case container.EventDie:
			s.died(ctx, event.ExitCode, s.starts())
		case container.EventDestroy:
			s.removed()
		case container.EventPause:
			s.log.Warn("the container is paused")
		case container.EventOOM:
			s.log.Warn("the container is out of memory, and the kernel ends a process in it")
		case container.EventInterrupted:
			s.log.Info("the engine does not answer; what runs inside goes on", "error", event.Err)
		}
	}
}

// started says that the container runs. Whoever started it need not wait for the engine to say so.
func (s *Session) started() {
	s.update(func() { s.stopped = nil; s.begun++ })
	s.report("mark of the last stop", s.store.unmarkStop(s.rec.Name))
	s.conn.Kick()
}

// starts is how often the container was seen to start. What the engine said before one is no news after it.
func (s *Session) starts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}

func (s *Session) inspect(ctx context.Context) {
	starts := s.starts()
	c, err := s.engine.Inspect(ctx, s.rec.Container)
	switch {
	case errors.Is(err, container.ErrNotFound):
		s.removed()
	case err != nil:
		s.log.Warn("inspect container", "error", err)
	case c.State == container.StateExited || c.State == container.StateDead:
		s.died(ctx, c.ExitCode, starts)
	default:
		s.update(func() { s.stopped = nil })
	}
}

const lastLogLines = 20

// died says that the container has ended, unless it has started again since starts was read.
func (s *Session) died(ctx context.Context, code, starts int) {
	end := &StoppedError{Name: s.rec.Name, ExitCode: code}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if logs, err := s.engine.Logs(ctx, s.rec.Container, lastLogLines); err == nil {
		end.Logs = string(logs)
	}
	if s.starts() != starts {
		return // the engine was slow to say so, and somebody quicker to start it again
	}
	// Every process inside is dead, so no port is open, whoever could still say so.
	epoch := tunnel.EpochStopped
	if s.store.wasStopped(s.rec.Name) {
		epoch = tunnel.EpochEnded
	}
	s.observe(ports.Snapshot{Epoch: epoch})
	s.update(func() {
		if s.begun == starts {
			s.stopped = end
		}
	})
	s.conn.Kick() // the transport is dead for certain: find out now rather than at the next keepalive
}

func (s *Session) removed() {
	s.conn.Gone(ErrContainerGone)
	s.update(func() { s.gone = true })
}

// serveGit gives the container read access to the repository, for as long as the channel lives. Where this process started the session, the base that it
// offers is the commit that was read then: amended meanwhile, it is still there to be checked out.
func (s *Session) serveGit(ctx context.Context, _ []byte, rw io.ReadWriteCloser) {
	r, err := s.served(ctx)
	if err != nil {
		s.log.Debug("serve git fetch", "error", err)
		s.report("git channel", rw.Close())
		return
	}
	// Debug, because the container decides how often this fails.
	if err := r.ServeUploadPack(ctx, rw); err != nil {
		s.log.Debug("serve git fetch", "error", err)
	}
}

// served is the one repo.Repo that serves the session's fetches, so that its bound on how many run at once is the session's.
func (s *Session) served(ctx context.Context) (*repo.Repo, error) {
	s.mu.Lock()
	r := s.repo
	s.mu.Unlock()
	if r != nil {
		return r, nil
	}
	r, err := repo.Open(ctx, s.rec.Folder)
	if err != nil {
		return nil, err
	}
	return s.serve(r), nil
}

// serve makes r the repository that fetches are served from, unless there is one.
func (s *Session) serve(r *repo.Repo) *repo.Repo {
	r.Scratch = s.store.path(s.rec.Name) // what a killed process leaves there goes with the session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.repo == nil {
		s.repo = r
	}
	return s.repo
}
