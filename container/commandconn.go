package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// commandConn is a connection that is a command's standard streams. A pair of sockets makes them: unlike pipes they
// have deadlines, and each direction an end of its own.
type commandConn struct {
	*net.UnixConn
	explain func(words string) error // of an end before the first byte
	heard   atomic.Bool
	end     func()        // asks the command to end
	ended   chan struct{} // closed when it has, and all of what it said is there
	words   lastWords
}

// endDelay is how long a command may take to end.
const endDelay = 3 * time.Second

// startCommand starts the command; ctx is only for the start. Close ends it.
func startCommand(ctx context.Context, name string, args []string) (*commandConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	living, end := context.WithCancel(context.WithoutCancel(ctx))
	c := &commandConn{UnixConn: ours, end: end, ended: make(chan struct{})}
	cmd := exec.CommandContext(living, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, &c.words
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endDelay
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a ctrl-C in the terminal is for us, who then close it
	if err := cmd.Start(); err != nil {
		end()
		ours.Close()
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("there is no command %s", name)
		}
		return nil, err
	}
	// Ends with the command, at the latest some seconds after Close has asked for that; Close waits.
	go func() {
		defer close(c.ended)
		defer end()
		_ = cmd.Wait() // what went wrong is in its last words
	}()
	return c, nil
}

func socketPair() (*net.UnixConn, *os.File, error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	mine, theirs := os.NewFile(uintptr(fds[0]), "command"), os.NewFile(uintptr(fds[1]), "command")
	defer mine.Close() // FileConn has its own copy
	conn, err := net.FileConn(mine)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// Read explains an end that comes before anything else.
func (c *commandConn) Read(p []byte) (int, error) {
	n, err := c.UnixConn.Read(p)
	if n > 0 {
		c.heard.Store(true)
	}
	if c.over(err) {
		return n, c.explanation(err)
	}
	return n, err
}

// Write explains too: the command may be gone before the first byte is sent.
func (c *commandConn) Write(p []byte) (int, error) {
	n, err := c.UnixConn.Write(p)
	if c.over(err) {
		return n, c.explanation(err)
	}
	return n, err
}

func (c *commandConn) over(err error) bool {
	return !c.heard.Load() && (errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET))
}

// explanation waits for the command's last words, which come with its end, and ends one that stays.
func (c *commandConn) explanation(err error) error {
	select {
	case <-c.ended:
	case <-time.After(endDelay):
		c.end()
		<-c.ended
	}
	if c.explain == nil {
		return err
	}
	return c.explain(c.words.String())
}

// Close ends the command and waits for it.
func (c *commandConn) Close() error {
	err := c.UnixConn.Close()
	c.end()
	<-c.ended
	return err
}

// lastWords keeps the end of what is written to it.
type lastWords struct {
	mu   sync.Mutex // guards data
	data []byte
}

const maxWords = 2 << 10

func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data = append(w.data, p[max(0, len(p)-maxWords):]...)
	w.data = w.data[max(0, len(w.data)-maxWords):]
	return len(p), nil
}

// String is the last lines, on one.
func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return printable(strings.Join(strings.Fields(string(w.data)), " "))
}
