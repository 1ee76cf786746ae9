//go:build linux

package sshd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is the command or shell of a session, the leader of a session (setsid(2)) of its own.
type process struct {
	cmd     *exec.Cmd
	stdin   *os.File // what the client sends goes there; with a terminal it is the terminal's
	outputs []*output
	tty     bool
	streams []os.FileInfo // what its standard streams are
	exited  chan struct{} // closed when the process has ended, before it is reaped

	mu     sync.Mutex // guards reaped
	reaped bool       // its number may belong to somebody else
}

// startProcess starts the user's shell in the workspace or the home directory, as a login shell if there are no arguments.
func (s *session) startProcess(args []string) (*process, error) {
	shell := s.account.shell
	cmd := &exec.Cmd{Path: shell, Args: append([]string{shell}, args...)}
	if len(args) == 0 {
		cmd.Args = []string{"-" + filepath.Base(shell)} // how a shell knows that it is a login shell
	}
	env := s.environment()
	cmd.Env = env.list()
	cmd.Dir = directory(s.conn.server.cfg.Workspace, env["HOME"])
	cmd.SysProcAttr = s.terminal.attributes()
	p := &process{cmd: cmd, tty: s.terminal != nil, exited: make(chan struct{})}
	if err := p.start(s); err != nil {
		return nil, fmt.Errorf("start %s: %w", shell, err)
	}
	return p, nil
}

func (p *process) start(s *session) error {
	if s.terminal != nil {
		return p.startOnTerminal(s)
	}
	stdin, stdinWriter, err1 := os.Pipe()
	stdoutReader, stdout, err2 := os.Pipe()
	stderrReader, stderr, err3 := os.Pipe()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, stdout, stderr
	p.stdin = stdinWriter
	p.outputs = []*output{{from: stdoutReader, to: s.channel}, {from: stderrReader, to: s.channel.Stderr()}}
	err := errors.Join(err1, err2, err3)
	if err == nil {
		p.streams, err = statAll(stdin, stdout, stderr)
	}
	if err == nil {
		err = p.cmd.Start()
	}
	for _, file := range []*os.File{stdin, stdout, stderr} {
		file.Close() // the process has its own; Close of a nil file is harmless
	}
	if err != nil {
		p.close()
	}
	return err
}

func (p *process) startOnTerminal(s *session) error {
	t := s.terminal
	defer t.release()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = t.slave, t.slave, t.slave
	p.stdin = t.master
	p.outputs = []*output{{from: t.master, to: s.channel}}
	var err error
	if p.streams, err = statAll(t.slave); err != nil {
		return err
	}
	return p.cmd.Start()
}

func statAll(files ...*os.File) ([]os.FileInfo, error) {
	infos := make([]os.FileInfo, len(files))
	for i, file := range files {
		info, err := file.Stat()
		if err != nil {
			return nil, err
		}
		infos[i] = info
	}
	return infos, nil
}

// close closes our ends of the streams.
func (p *process) close() {
	p.stdin.Close()
	for _, o := range p.outputs {
		o.from.Close()
	}
}

// run moves the streams until the process has ended and its output is delivered, and returns how it ended. When ctx ends first, the
// process and what it started are hung up.
func (p *process) run(ctx context.Context, s *session) syscall.WaitStatus {
	limits := s.conn.server.cfg.Limits
	// Ended by the channel's end, or by p.close below; session.close waits.
	s.spawn(func() { p.feed(s.channel) })
	var delivering sync.WaitGroup
	for _, o := range p.outputs {
		// Ended by the end of the output, or by its drain; waited for below.
		delivering.Go(func() {
			defer s.conn.server.rescue("output")
			o.deliver(p.exited, limits.Linger)
		})
	}
	// Ended by the process; waited for below.
	go p.watch()
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.hangUp(limits.Grace)
		<-p.exited
	}
	for _, o := range p.outputs {
		o.drain(limits.Linger)
	}
	delivering.Wait()
	p.close()
	return p.reap()
}

// feed gives the process what the client sends, and then the end of input. A terminal has no such end but what the user types.
func (p *process) feed(client io.Reader) {
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	_, _ = io.CopyBuffer(writerOnly{p.stdin}, client, buf[:]) // an error means that the process reads no more
	if !p.tty {
		p.stdin.Close()
	}
}

// writerOnly hides ReadFrom, which would bring a buffer of its own.
type writerOnly struct{ io.Writer }

// watch notices the end of the process without reaping it, so that its number stays its own while signals are sent to it.
func (p *process) watch() {
	defer close(p.exited)
	for {
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func (p *process) reap() syscall.WaitStatus {
	p.mu.Lock()
	p.reaped = true
	p.mu.Unlock()
	_ = p.cmd.Wait() // an error here is the status, which follows
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status
}

// signal sends a signal to the process group of the process, as sshd does.
func (p *process) signal(signal syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	return syscall.Kill(-p.cmd.Process.Pid, signal)
}

// hangUpStep is how often hangUp looks who is left.
const hangUpStep = 20 * time.Millisecond

// hangUp ends the process and all that belongs to it: SIGHUP at once, SIGTERM after a third of the grace, SIGKILL at its end. It returns
// when none is left. A process that detached itself is left alone, see member.
func (p *process) hangUp(grace time.Duration) {
	start := time.Now()
	send := func(signal syscall.Signal) bool {
		left := false
		for _, pid := range sessionMembers(p.cmd.Process.Pid, p.streams) {
			left = true
			_ = syscall.Kill(pid, signal) // signal 0 does nothing; an error means that it has just ended, or is not ours to kill
		}
		return left
	}
	send(syscall.SIGHUP)
	send(syscall.SIGCONT) // a stopped process gets its signals only then
	terminated := false
	for ticker := time.NewTicker(hangUpStep); send(0); <-ticker.C {
		switch elapsed := time.Since(start); {
		case elapsed > 2*grace:
			return // not ours to kill, or in the kernel for good
		case elapsed > grace:
			send(syscall.SIGKILL)
		case elapsed > grace/3 && !terminated:
			send(syscall.SIGTERM)
			terminated = true
		}
	}
}
