//go:build linux

package sshd

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// terminal is a session's pseudo terminal (RFC 4254 §6.2).
type terminal struct {
	term   string // value of TERM
	name   string // of the device, such as /dev/pts/3
	master *os.File
	slave  *os.File // nil once the process has it
}

var (
	termName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$`)
	errTerminal = errors.New("malformed pty-req")
)

// openTerminal makes a terminal of the kind, size and modes that the client has.
func openTerminal(req sshwire.PTY) (*terminal, error) {
	modes, err := parseModes(req.Modes)
	if err != nil {
		return nil, err
	}
	if !termName.MatchString(req.Term) {
		req.Term = "dumb"
	}
	blocking, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open pseudo terminal: %w", err)
	}
	t := &terminal{term: req.Term, name: slave.Name(), slave: slave}
	t.master, err = pollable(blocking)
	if err == nil {
		err = modes.apply(slave)
	}
	if err == nil {
		err = t.resize(req.Columns, req.Rows, req.Width, req.Height)
	}
	if err != nil {
		t.close()
		return nil, fmt.Errorf("set up pseudo terminal: %w", err)
	}
	return t, nil
}

// pollable replaces a file by one whose reads can be interrupted by deadlines and Close. The pty package leaves its file in blocking
// mode, which would make a session hang on a background process that keeps the terminal.
func pollable(file *os.File) (*os.File, error) {
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}

// resize sets the size; the kernel sends SIGWINCH.
func (t *terminal) resize(columns, rows, width, height uint32) error {
	size := unix.Winsize{Col: clamp16(columns), Row: clamp16(rows), Xpixel: clamp16(width), Ypixel: clamp16(height)}
	return control(t.master, func(fd int) error { return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &size) })
}

func clamp16(n uint32) uint16 { return uint16(min(n, 1<<16-1)) }

// control calls f with the descriptor of an open file, without changing its mode as Fd does.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// release gives up the slave, once the process has it.
func (t *terminal) release() {
	if t.slave != nil {
		t.slave.Close()
		t.slave = nil
	}
}

func (t *terminal) close() {
	t.release()
	if t.master != nil {
		t.master.Close() // hangs up what still uses the terminal
	}
}

// attributes make the process the leader of its own session, with the terminal as the controlling one if there is one.
func (t *terminal) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Setctty: t != nil, Ctty: 0}
}
