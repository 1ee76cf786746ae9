//go:build linux

package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sketch-ide/sketch-ide/agent/gitwatch"
	"github.com/sketch-ide/sketch-ide/agent/internal/sshd"
	"github.com/sketch-ide/sketch-ide/agent/internal/threads"
	"github.com/sketch-ide/sketch-ide/agent/internal/unixsock"
	"github.com/sketch-ide/sketch-ide/ports"
)

// Run is the process inside: SSH server, HTTP API, services of the host, port monitor. It blocks until ctx ends, then hangs up the
// sessions and returns nil once all has ended, a few seconds later at most; or it returns what failed. A nil log discards.
//
// As process 1 of a container without an init it starts itself once more, hands signals on, and reaps.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if os.Getpid() == 1 {
		return runInit(ctx, log)
	}
	if err := cfg.Check(); err != nil {
		return fmt.Errorf("run agent: %w", err)
	}
	if err := threads.Reserve(reservedThreads); err != nil {
		log.Warn("threads are not reserved", "err", err)
	}
	p, err := newInside(ctx, cfg.withDefaults(), log)
	if err != nil {
		return fmt.Errorf("run agent: %w", err)
	}
	if err := p.run(ctx); err != nil {
		return fmt.Errorf("run agent: %w", err)
	}
	return nil
}

// reservedThreads are enough for what people and the agent run at once; in a container whose limit is used up no more can be had.
const reservedThreads = 64

// inside is the process: its parts, listening and not yet served.
type inside struct {
	cfg     Config
	log     *slog.Logger
	started time.Time
	events  *ports.Log
	monitor *ports.Monitor
	git     *gitwatch.Watcher
	ssh     *sshd.Server
	agent   *engineer

	sshListener, apiListener, hostListener net.Listener
	llmListener                            net.Listener // nil where the port was taken
}

func newInside(ctx context.Context, cfg Config, log *slog.Logger) (*inside, error) {
	for _, name := range cfg.Unset {
		if err := os.Unsetenv(name); err != nil {
			return nil, fmt.Errorf("unset %q: %w", name, err)
		}
	}
	p := &inside{cfg: cfg, log: log, started: time.Now(), events: ports.NewLog(0)}
	p.monitor = ports.NewMonitor(ports.MonitorConfig{Events: p.events, Ignore: engineDNS, Log: log.With("part", "ports")})
	p.git = gitwatch.New(gitwatch.Config{Dir: cfg.Workspace, Log: log.With("part", "git")})
	p.listenLLM(ctx)
	server, err := p.newSSH()
	if err != nil {
		p.closeListeners()
		return nil, err
	}
	p.ssh = server
	if err := p.listen(ctx); err != nil {
		p.closeListeners()
		return nil, err
	}
	p.agent = p.newEngineer()
	return p, nil
}

// engineDNS tells whether a socket is that of the engine's name server, which listens in the container's network, on this
// address, for containers on networks that users made. No process inside holds it.
func engineDNS(l ports.Listener) bool {
	return l.Addr.Addr() == netip.AddrFrom4([4]byte{127, 0, 0, 11})
}

func (p *inside) newSSH() (*sshd.Server, error) {
	hostKey, err := p.cfg.hostKey()
	if err != nil {
		return nil, err
	}
	authorized, err := p.cfg.authorizedKeys()
	if err != nil {
		return nil, err
	}
	return sshd.New(sshd.Config{
		HostKey: hostKey, User: p.cfg.User, AuthorizedKeys: authorized, Workspace: p.cfg.Workspace, BinDir: BinDir, Env: p.variables(),
		Busy: p.monitor.Busy, Log: p.log.With("part", "ssh"),
	})
}

// variables are what commands get over the image's environment, whoever runs them.
func (p *inside) variables() map[string]string {
	env := maps.Clone(p.cfg.Env)
	if env == nil {
		env = make(map[string]string)
	}
	if p.cfg.HostSocket != HostSocket {
		env[HostSocketEnv] = p.cfg.HostSocket
	}
	if p.llmListener != nil {
		env[gatewayEnv] = "http://" + p.llmListener.Addr().String()
	}
	return env
}

func (p *inside) listen(ctx context.Context) (err error) {
	if p.sshListener, err = new(net.ListenConfig).Listen(ctx, "tcp", p.cfg.Listen); err != nil {
		return err
	}
	if p.apiListener, err = unixsock.Listen(ctx, p.cfg.Socket); err != nil {
		return err
	}
	p.hostListener, err = unixsock.Listen(ctx, p.cfg.HostSocket)
	return err
}

func (p *inside) closeListeners() {
	for _, ln := range []net.Listener{p.sshListener, p.apiListener, p.hostListener, p.llmListener} {
		if ln != nil {
			ln.Close()
		}
	}
}

// run serves. Each part is ended by ctx, or by the first part that fails, and waited for.
func (p *inside) run(ctx context.Context) error {
	defer p.closeListeners()
	p.log.Info("agent started", "session", p.cfg.Session, "version", version(), "ssh", p.sshListener.Addr().String(), "socket", p.cfg.Socket)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.ssh.Serve(ctx, p.sshListener) })
	group.Go(func() error { return p.serveAPI(ctx) })
	group.Go(func() error { return p.serveHostSocket(ctx) })
	group.Go(func() error { return p.serveLLM(ctx) })
	group.Go(func() error { return p.watchPorts(ctx) })
	group.Go(func() error { return p.watchGit(ctx) })
	group.Go(func() error { return p.agent.run(ctx) })
	err := group.Wait()
	p.log.Info("agent ended", "err", err)
	return err
}

// watchPorts runs the monitor. Where the socket table cannot be read, everything else still works.
func (p *inside) watchPorts(ctx context.Context) error {
	err := p.monitor.Run(ctx)
	if errors.Is(err, ports.ErrNoSource) {
		p.log.Error("ports are not watched", "err", err)
		return nil
	}
	return err
}

// watchGit runs the watcher of the repository. Where it fails, everything else still works.
func (p *inside) watchGit(ctx context.Context) error {
	if p.cfg.Workspace == "" {
		return nil
	}
	if err := p.git.Run(ctx); err != nil && ctx.Err() == nil {
		p.log.Error("the repository is not watched", "err", err)
	}
	return nil
}
