package shell

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Limits on what is kept and what runs at once.
const (
	maxRunning  = 64        // commands and jobs alive at once
	maxFinished = 32        // jobs kept for reading after their end
	MaxCommand  = 100 << 10 // bytes of one command: the kernel's limit for an argument is 128 KiB
	busyFor     = 2 * time.Minute
)

// Errors that say why nothing was started.
var (
	ErrClosed  = errors.New("the shell is closed")
	ErrTooMany = errors.New("too many commands run at once")
	ErrNoJob   = errors.New("no such job")
	ErrTooLong = errors.New("the command is too long")
)

// Config says where commands run. Zero durations take the defaults.
type Config struct {
	Dir   string               // where the first command starts, and the refuge when the current directory is gone
	Env   []string             // environment; nil: that of this process
	Spool string               // directory for outputs that are too long to keep in memory; empty: they are cut
	Busy  func() (done func()) // marks that a command is alive; may be nil
	Log   *slog.Logger         // nil discards

	Grace  time.Duration // between SIGTERM and SIGKILL when time is up; 2 s
	Cancel time.Duration // the same when the context ends, so that all is over within 200 ms; 50 ms
}

// Shell runs commands. It is safe for concurrent use.
type Shell struct {
	cfg   Config
	shell string
	spool *spool
	wg    sync.WaitGroup // goroutines of all commands

	mu       sync.Mutex // guards what follows
	dir      string
	running  map[*process]struct{}
	jobs     []*Job // in the order of their numbers, running and finished
	lastJob  int
	ended    []Status // since Ended was last called, at most maxFinished
	isClosed bool
}

// New returns a shell that runs nothing yet.
func New(cfg Config) *Shell {
	if cfg.Grace == 0 {
		cfg.Grace = 2 * time.Second
	}
	if cfg.Cancel == 0 {
		cfg.Cancel = 50 * time.Millisecond
	}
	if cfg.Busy == nil {
		cfg.Busy = func() func() { return func() {} }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Env == nil {
		cfg.Env = os.Environ()
	}
	return &Shell{cfg: cfg, shell: findShell(), spool: &spool{dir: cfg.Spool}, dir: cfg.Dir, running: make(map[*process]struct{})}
}

// findShell prefers bash, as models write for it; an image may have sh only.
func findShell() string {
	for _, path := range []string{"/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"} {
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return "/bin/sh"
}

// Dir returns the working directory of the next command.
func (s *Shell) Dir() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dir
}

// startDir is the directory to start in, and whether the current one was gone.
func (s *Shell) startDir() (dir string, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if info, err := os.Stat(s.dir); err != nil || !info.IsDir() {
		lost, s.dir = s.dir != s.cfg.Dir, s.cfg.Dir
	}
	return s.dir, lost
}

// moved takes over where a command ended. Commands that run side by side start in one place, and of those only one that left it counts.
func (s *Shell) moved(from, to string) {
	if to == "" || to == from || !filepath.IsAbs(to) {
		return
	}
	if info, err := os.Stat(to); err != nil || !info.IsDir() {
		return
	}
	s.mu.Lock()
	s.dir = to
	s.mu.Unlock()
}

// Outcome is how a command went.
type Outcome struct {
	Output   string // cleaned of what is no text, its middle left out where it is long
	Whole    string // file with all of it (or its first 32 MiB), where Output leaves something out
	Exit     int    // exit status; -1: ended by Signal
	Signal   string // such as "killed"
	TimedOut bool   // it took longer than its limit and was ended
	Dir      string // where it ended
	DirLost  bool   // the working directory was gone, so that it started in Config.Dir
	Job      int    // number of the job that holds what it left behind; 0: nothing
	Took     time.Duration
}

// liveInterval is how often live output is told.
const liveInterval = 100 * time.Millisecond

// Run runs a command until it has ended, its limit is over, or ctx ends: then it and its processes get SIGTERM, and SIGKILL soon after. live is
// given the end of the output now and then. An error says that it could not be started, or is ctx's; with the latter the outcome is
// what there was.
func (s *Shell) Run(ctx context.Context, command string, limit time.Duration, live func(string)) (Outcome, error) {
	p, err := s.start(command)
	if err != nil {
		return Outcome{}, err
	}
	defer p.notBusy()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	ticker := time.NewTicker(liveInterval)
	defer ticker.Stop()
	var told int64
	for waiting := true; waiting; {
		select {
		case <-p.exited:
			waiting = false
		case <-ticker.C:
			told = p.tell(live, told)
		case <-timer.C:
			p.timedOut = true
			p.end(s.cfg.Grace)
			waiting = false
		case <-ctx.Done():
			p.end(s.cfg.Cancel)
			waiting = false
		}
	}
	p.settle()
	p.tell(live, told)
	return s.outcome(p), ctx.Err()
}

// outcome looks at a process that has ended, or could not be ended.
func (s *Shell) outcome(p *process) Outcome {
	if !p.shellAlive() {
		s.moved(p.dir, p.lastDir)
	}
	o := p.result()
	o.Dir = s.Dir()
	if !p.isOver() {
		o.Job = s.adopt(p, true).number
	}
	return o
}

// Close ends all jobs and commands, and waits until they have ended.
func (s *Shell) Close() {
	s.mu.Lock()
	s.isClosed = true
	var all []*process
	for p := range s.running {
		all = append(all, p)
	}
	s.mu.Unlock()
	var ending sync.WaitGroup
	for _, p := range all {
		ending.Go(func() {
			p.end(s.cfg.Cancel)
			p.from.Close() // whoever still holds the other end cannot be ended by us
		})
	}
	ending.Wait()
	ended := make(chan struct{})
	// Ended by the ends of the goroutines of the commands; waited for below.
	go func() { defer close(ended); s.wg.Wait() }()
	select {
	case <-ended:
	case <-time.After(closeAfter):
		s.cfg.Log.Error("commands cannot be ended")
	}
}

// closeAfter bounds Close: a process that waits for a dead disk ends never.
const closeAfter = 10 * time.Second
