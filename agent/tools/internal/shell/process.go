package shell

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a command: a shell that leads a process session of its own, and all that it starts and that stays attached to it.
type process struct {
	shell   *Shell
	command string
	dir     string // where it began
	lost    bool
	begun   time.Time
	cmd     *exec.Cmd
	out     *output
	from    *os.File      // our end of the output
	stream  os.FileInfo   // identifies the output
	exited  chan struct{} // closed when the shell has ended; what follows is set before
	state   *os.ProcessState
	lastDir string
	settled chan struct{} // closed when all that the shell itself wrote has been read
	over    chan struct{} // closed when nobody holds the output any more
	ended   time.Time     // set before over is closed

	timedOut bool   // by the one who runs it
	left     string // why it could not be ended
	notBusy  func()
}

// prologue makes the shell tell where it ended. The descriptor that it tells it to is moved out of the way of scripts.
const prologue = `exec 9>&3 3>&-; trap 'pwd -P >&9' EXIT; `

// environment is set over the configured one: nobody is there to answer a pager, an editor or a password prompt.
var environment = []string{
	"TERM=dumb", "PAGER=cat", "GIT_PAGER=cat", "MANPAGER=cat", "SYSTEMD_PAGER=", "GIT_TERMINAL_PROMPT=0",
	"EDITOR=false", "VISUAL=false", "GIT_EDITOR=:", "DEBIAN_FRONTEND=noninteractive",
}

// start starts a command in the current directory.
func (s *Shell) start(command string) (*process, error) {
	if len(command) > MaxCommand {
		return nil, ErrTooLong
	}
	if strings.ContainsRune(command, 0) {
		return nil, errors.New("the command has a zero byte")
	}
	p := &process{
		shell: s, command: command, begun: time.Now(), out: newOutput(s.spool),
		exited: make(chan struct{}), settled: make(chan struct{}), over: make(chan struct{}),
	}
	p.dir, p.lost = s.startDir()
	p.cmd = &exec.Cmd{
		Path: s.shell, Args: []string{s.shell, "-c", prologue + command}, Dir: p.dir, Env: append(slices.Clip(s.cfg.Env), environment...),
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := s.admit(p); err != nil {
		return nil, err
	}
	if err := p.start(); err != nil {
		s.leave(p)
		return nil, fmt.Errorf("start %s: %w", s.shell, err)
	}
	return p, nil
}

// admit counts a process in, and its goroutines.
func (s *Shell) admit(p *process) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.isClosed:
		return ErrClosed
	case len(s.running) >= maxRunning:
		return ErrTooMany
	}
	s.running[p] = struct{}{}
	s.wg.Add(2)
	return nil
}

// leave takes back what admit did for a process that did not start.
func (s *Shell) leave(p *process) {
	s.mu.Lock()
	delete(s.running, p)
	s.mu.Unlock()
	s.wg.Add(-2)
}

func (p *process) start() error {
	from, to, err1 := os.Pipe()
	where, tells, err2 := os.Pipe()
	defer to.Close() // Close of a nil file is harmless
	defer tells.Close()
	err := errors.Join(err1, err2)
	if err == nil {
		p.stream, err = from.Stat()
	}
	if err == nil {
		p.cmd.Stdout, p.cmd.Stderr, p.cmd.ExtraFiles = to, to, []*os.File{tells}
		err = p.cmd.Start()
	}
	if err != nil {
		from.Close()
		where.Close()
		return err
	}
	p.from, p.notBusy = from, sync.OnceFunc(p.shell.cfg.Busy())
	// Ended by the shell's end; Shell.Close ends it and waits.
	go p.wait(where)
	// Ended by the end of the output; Shell.Close brings it about and waits.
	go p.read()
	return nil
}

// wait reaps the shell and hears where it ended.
func (p *process) wait(where *os.File) {
	defer p.shell.wg.Done()
	defer where.Close()
	_ = p.cmd.Wait() // an error is the state, which follows
	p.state = p.cmd.ProcessState
	p.lastDir = readDir(where)
	close(p.exited)
	p.from.SetReadDeadline(time.Now()) // wakes the reader, see read
}

// readDir reads what the prologue wrote. Children that hold the pipe are not waited for, and whatever they write is checked by its user.
func readDir(where *os.File) string {
	var buf [4096]byte
	where.SetReadDeadline(time.Now().Add(time.Second)) // all is there already, but an expired deadline would not even look
	if pending(where) == 0 {
		return ""
	}
	n, err := where.Read(buf[:])
	line, _, whole := strings.Cut(string(buf[:max(n, 0)]), "\n")
	if err != nil || !whole {
		return ""
	}
	return line
}

// read reads the output to its end. What is in the pipe when the shell has ended is still the shell's; then settled is closed.
func (p *process) read() {
	defer p.shell.wg.Done()
	buf := make([]byte, 32<<10)
	owed, known := 0, false
	for {
		n, err := p.from.Read(buf)
		p.out.write(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.from.SetReadDeadline(time.Time{})
		} else if err != nil {
			break
		}
		select {
		case <-p.exited:
		default:
			continue
		}
		if owed -= n; !known {
			owed, known = pending(p.from), true
		}
		if owed <= 0 {
			closeOnce(p.settled)
		}
	}
	p.finish()
}

// finish ends a process whose output nobody holds any more. Its shell may have closed its output, and still run.
func (p *process) finish() {
	<-p.exited
	closeOnce(p.settled)
	p.from.Close()
	p.out.close()
	p.ended = time.Now()
	p.notBusy()
	close(p.over)
	p.shell.gone(p)
}

// closeOnce closes a channel that only the caller closes.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// pending returns how many bytes wait in a pipe.
func pending(f *os.File) int {
	n := 0
	raw, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	err = raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), readable) })
	if err != nil {
		return 0
	}
	return n
}

// linger is for how long output is awaited that a child of the shell still writes, such as of a process substitution.
const linger = 100 * time.Millisecond

// settle waits, after the shell's end, for what it wrote.
func (p *process) settle() {
	select {
	case <-p.exited:
	default:
		return // it could not be ended
	}
	<-p.settled
	select {
	case <-p.over:
	case <-time.After(linger):
	}
}

func (p *process) isOver() bool {
	select {
	case <-p.over:
		return true
	default:
		return false
	}
}

// tell gives the end of the output to live, if there is more than was told, and returns how much there is.
func (p *process) tell(live func(string), told int64) int64 {
	total := p.out.written()
	if total != told {
		live(Clean(p.out.last(liveBytes)))
	}
	return total
}

func (p *process) result() Outcome {
	o := Outcome{TimedOut: p.timedOut, DirLost: p.lost, Took: time.Since(p.begun), Exit: -1}
	o.Output, o.Whole = p.out.text()
	select {
	case <-p.exited:
		if status, ok := p.state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			o.Signal = status.Signal().String()
		}
		o.Exit = p.state.ExitCode()
	default:
	}
	return o
}
