package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"

	"github.com/sketch-ide/sketch-ide/internal/sshwire"
)

// ExitError says that a command ended with a status other than 0 (RFC 4254 §6.10).
type ExitError struct {
	Status int    // 1 to 255; 128 and the signal's number when a signal ended the command, as shells say it
	Signal string // without SIG; at most 16 of A to Z and 0 to 9, and empty when there was none
}

func (e *ExitError) Error() string {
	if e.Signal != "" {
		return "command was ended by signal " + e.Signal
	}
	return fmt.Sprintf("command ended with status %d", e.Status)
}

var (
	errExecRefused = errors.New("container refused to run the command")
	errNoStatus    = errors.New("container did not tell how the command ended")
)

// Exec runs a command inside, as a line for the user's shell, until it has ended and all it wrote was passed on. Nil
// streams are empty, or discarded. While the connection to the container is down Exec waits for its return, as long as
// ctx allows. The error of a command that failed is an *ExitError.
//
// When ctx ends, or stdout or stderr fails, the channel is closed, which is the command's end, and Exec returns ctx's
// cause or that error once the container has confirmed. stdin is not waited for: one Read of it may be under way when
// Exec returns, and what it brings is lost.
func (c *Conn) Exec(ctx context.Context, command string, stdin io.Reader, stdout, stderr io.Writer) error {
	var x *execution
	err := c.withLink(ctx, func(l *link) error {
		ch, err := l.open(ctx, sshwire.ChannelSession, nil)
		if err == nil {
			x = newExecution(l, ch)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("open session in container: %w", refusal(err))
	}
	stop := context.AfterFunc(ctx, x.close)
	defer stop()
	out, errs := &outlet{w: stdout, failed: x.close}, &outlet{w: stderr, failed: x.close}
	ended := make(chan error, 1)
	// Ends with the channel, and is abandoned with its link.
	go func() { ended <- x.run(command, stdin, out, errs) }()
	select {
	case err = <-ended:
	case <-x.link.abandoned:
		err = ErrBroken
	}
	// Whatever was abandoned must not write to what is the caller's again.
	if err := errors.Join(out.shut(), errs.shut()); err != nil && ctx.Err() == nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// execution is one command inside. The container may send anything at any time, or nothing.
type execution struct {
	*sshwire.Stream // closed by Close, at the latest when both ends have
	link            *link
	stderr          io.Reader

	exit *sshwire.ExitStatus // set before Done is closed
	sig  *sshwire.ExitSignal // likewise
}

func newExecution(l *link, ch opened) *execution {
	x := &execution{link: l, stderr: ch.Stderr()}
	x.Stream = sshwire.NewNotingStream(ch, ch.requests, l.transport, x.note)
	return x
}

// note remembers how the command ended. Only the first that is well formed counts.
func (x *execution) note(req *ssh.Request) {
	switch req.Type {
	case sshwire.RequestExitStatus:
		if exit, err := sshwire.Unmarshal[sshwire.ExitStatus](req.Payload); err == nil && x.exit == nil {
			x.exit = &exit
		}
	case sshwire.RequestExitSignal:
		if sig, err := sshwire.Unmarshal[sshwire.ExitSignal](req.Payload); err == nil && x.sig == nil {
			x.sig = &sig
		}
	}
}

// close ends the command, and the connection when the container does not confirm.
func (x *execution) close() {
	x.link.guard(x.Stream)
	x.Close()
}

// run sends the command and returns how it ended, after both streams were read to their ends.
func (x *execution) run(command string, stdin io.Reader, stdout, stderr io.Writer) error {
	var drains sync.WaitGroup
	var lost error
	// Both end with the channel and are waited for below.
	drains.Go(func() { _, lost = io.Copy(stdout, x.Stream) })
	drains.Go(func() { _, _ = io.Copy(stderr, x.stderr) }) // its end is the channel's
	refused := x.request(command)
	unread := make(chan error, 1)
	if refused != nil {
		x.close()
	} else {
		// Ends with stdin, or at its first Read after the command; nobody waits.
		go func() { x.feed(stdin, unread) }()
	}
	<-x.Done()
	drains.Wait()
	switch err := x.result(); {
	case errors.Is(err, errNoStatus) && errors.Is(lost, syscall.ECONNRESET):
		return ErrBroken
	case errors.Is(err, errNoStatus) && refused != nil:
		return refused
	case err != nil:
		return err
	}
	select {
	case err := <-unread:
		return err
	default:
		return nil
	}
}

// request asks for the command to be run.
func (x *execution) request(command string) error {
	ok, err := x.Request(sshwire.RequestExec, ssh.Marshal(sshwire.Exec{Command: command}))
	if err == nil && !ok {
		return errExecRefused
	}
	return err
}

// feed passes stdin on, and its error to unread before the command sees the end.
func (x *execution) feed(stdin io.Reader, unread chan<- error) {
	if stdin != nil {
		in := &inlet{r: stdin}
		_, _ = io.Copy(x.Stream, in) // a failed write is the command's end
		if in.err != nil {
			unread <- fmt.Errorf("read standard input: %w", in.err)
		}
	}
	x.CloseWrite()
}

// result is how the command ended, from what the container told.
func (x *execution) result() error {
	switch {
	case x.sig != nil:
		exit := &ExitError{Status: 128, Signal: signalName(x.sig.Signal)}
		exit.Status += signalNumbers[exit.Signal]
		return exit
	case x.exit == nil:
		return errNoStatus
	case x.exit.Status == 0:
		return nil
	}
	return &ExitError{Status: int(min(x.exit.Status, 255))} // Unix has no others
}

// signalNumbers are those of the signals in RFC 4254 §6.10 that mean the same number everywhere.
var signalNumbers = map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9, "SEGV": 11, "PIPE": 13, "ALRM": 14, "TERM": 15}

// signalName makes a name of what the container calls one.
func signalName(text string) string {
	name := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, text)
	if name == "" {
		return "UNKNOWN"
	}
	return name[:min(len(name), 16)]
}

// inlet is a reader that tells its own errors from those of whom io.Copy writes to. It hides WriteTo.
type inlet struct {
	r   io.Reader
	err error
}

func (i *inlet) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		i.err = err
	}
	return n, err
}

// outlet is a writer that takes everything for ever, so that the channel is drained, whether or not its w does.
type outlet struct {
	w      io.Writer // nil discards
	failed func()    // called when w fails, which is told by shut

	mu     sync.Mutex // guards what follows
	err    error
	closed bool
}

func (o *outlet) Write(p []byte) (int, error) {
	if err := o.write(p); err != nil {
		o.failed()
	}
	return len(p), nil
}

func (o *outlet) write(p []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.w == nil || o.err != nil || o.closed {
		return nil
	}
	n, err := o.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	o.err = err
	return err
}

// shut ends the use of w, after a Write that is under way, and returns its error.
func (o *outlet) shut() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	return o.err
}
