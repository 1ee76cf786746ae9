//go:build linux

package sshd

import (
	"context"
	"errors"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// session is one session channel (RFC 4254 §6): at most one command, shell or subsystem.
type session struct {
	conn     *connection
	channel  ssh.Channel
	account  account
	env      environ   // from the client
	terminal *terminal // nil without pty-req
	agentDir string    // of the forwarded ssh-agent's socket; empty: none
	started  bool
	process  *process // nil before the start, and for a subsystem
	work     sync.WaitGroup
}

var (
	errStarted   = errors.New("the session has started already")
	errNoProcess = errors.New("no process")
	errSubsystem = errors.New("unknown subsystem")
	errSignal    = errors.New("unknown signal")
)

// serveSession returns when the client has closed the channel and the process has ended. The end of ctx hangs the process up, as the
// client's close does.
func (c *connection) serveSession(ctx context.Context, newChannel ssh.NewChannel) {
	channel, requests, err := newChannel.Accept()
	if err != nil {
		return
	}
	c.server.count(&c.server.sessions, 1)
	defer c.server.count(&c.server.sessions, -1)
	s := &session{conn: c, channel: channel, env: make(environ), account: currentAccount(c.server.cfg.User)}
	defer s.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for req := range requests {
		run, err := s.handle(ctx, req)
		if err != nil {
			c.log.Debug("session request refused", "request", clip(req.Type), "err", err)
		}
		req.Reply(err == nil, nil)
		if run != nil {
			run() // only now: a quick command would be over, and the channel closed, before the reply
		}
	}
}

func (s *session) close() {
	s.channel.Close()
	s.work.Wait()
	s.endAgent()
	if s.terminal != nil {
		s.terminal.close()
	}
}

// handle does what a request asks for, but for starting something, which it returns as run. Forwarding of X11, and what is
// unknown, is refused.
func (s *session) handle(ctx context.Context, req *ssh.Request) (run func(), err error) {
	switch req.Type {
	case sshwire.RequestEnv:
		return nil, s.setEnv(req.Payload)
	case sshwire.RequestPTY:
		return nil, s.setTerminal(req.Payload)
	case sshwire.RequestWindowChange:
		return nil, s.resize(req.Payload)
	case sshwire.RequestSignal:
		return nil, s.signal(req.Payload)
	case requestAgent:
		return nil, s.forwardAgent(ctx)
	case sshwire.RequestShell, sshwire.RequestExec, sshwire.RequestSubsystem:
		return s.program(ctx, req)
	}
	return nil, errors.ErrUnsupported
}

// program returns what runs the one program of the session.
func (s *session) program(ctx context.Context, req *ssh.Request) (run func(), err error) {
	if s.started {
		return nil, errStarted
	}
	var msg sshwire.Exec // and Subsystem: both are one string
	if req.Type != sshwire.RequestShell {
		if msg, err = sshwire.Unmarshal[sshwire.Exec](req.Payload); err != nil {
			return nil, err
		}
	}
	switch {
	case req.Type == sshwire.RequestShell:
		run = func() { s.runCommand(ctx) }
	case req.Type == sshwire.RequestExec:
		run = func() { s.runCommand(ctx, "-c", msg.Command) }
	case msg.Command == subsystemSFTP:
		run = func() { s.runSFTP(ctx) }
	default:
		return nil, errSubsystem
	}
	s.started = true
	return run, nil
}

func (s *session) setEnv(payload []byte) error {
	if s.started {
		return errStarted
	}
	msg, err := sshwire.Unmarshal[sshwire.Env](payload)
	if err != nil {
		return err
	}
	return s.env.accept(msg.Name, msg.Value)
}

func (s *session) setTerminal(payload []byte) error {
	if s.started || s.terminal != nil {
		return errStarted
	}
	msg, err := sshwire.Unmarshal[sshwire.PTY](payload)
	if err != nil {
		return err
	}
	s.terminal, err = openTerminal(msg)
	return err
}

func (s *session) resize(payload []byte) error {
	msg, err := sshwire.Unmarshal[sshwire.WindowChange](payload)
	if err != nil {
		return err
	}
	if s.terminal == nil {
		return errNoProcess
	}
	return s.terminal.resize(msg.Columns, msg.Rows, msg.Width, msg.Height)
}

func (s *session) signal(payload []byte) error {
	msg, err := sshwire.Unmarshal[sshwire.Signal](payload)
	if err != nil {
		return err
	}
	signal, ok := signals[msg.Name]
	if !ok {
		return errSignal
	}
	if s.process == nil {
		return errNoProcess
	}
	return s.process.signal(signal)
}

// runCommand starts the user's shell with arguments, or as a login shell, and leaves a goroutine that ends the channel with it.
func (s *session) runCommand(ctx context.Context, args ...string) {
	done := s.conn.server.cfg.Busy()
	p, err := s.startProcess(args)
	if err != nil {
		done()
		s.fail(err)
		return
	}
	s.process = p
	// Ended by the process, which ctx hangs up; close waits.
	s.spawn(func() {
		defer done()
		s.exit(p.run(ctx, s))
	})
}

// spawn starts a goroutine of the session; a panic in it ends the session's connection.
func (s *session) spawn(work func()) {
	s.work.Add(1)
	s.conn.spawn("session", func() {
		defer s.work.Done()
		work()
	})
}

// exitNoStart is the status of a command that could not be started, as of the shell's "cannot execute".
const exitNoStart = 126

// fail tells the user why there is no process, where a shell would tell it.
func (s *session) fail(err error) {
	s.conn.log.Warn("session did not start", "err", err)
	s.work.Add(1)
	// Ended by the client, which reads or closes; close waits.
	s.conn.spawn("session", func() {
		defer s.work.Done()
		_, _ = s.channel.Stderr().Write([]byte("sketch-ide: " + err.Error() + "\r\n")) // an error means that the client is gone
		s.exit(syscall.WaitStatus(exitNoStart << 8))
	})
}

// exit tells how the process ended (RFC 4254 §6.10) and closes the channel. Errors mean that the client is gone.
func (s *session) exit(status syscall.WaitStatus) {
	if status.Signaled() {
		s.channel.SendRequest(sshwire.RequestExitSignal, false, ssh.Marshal(sshwire.ExitSignal{
			Signal: signalName(status.Signal()), CoreDumped: status.CoreDump(), Message: status.Signal().String(),
		}))
	} else {
		s.channel.SendRequest(sshwire.RequestExitStatus, false, ssh.Marshal(sshwire.ExitStatus{Status: uint32(status.ExitStatus())}))
	}
	s.channel.CloseWrite()
	s.channel.Close()
}
