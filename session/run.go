package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

var _ repo.Runner = (*Session)(nil)

// Run runs a POSIX shell script inside, by sh, whatever the user's own shell is. It returns when the script has ended; when ctx ends first, the script's
// processes are killed.
func (s *Session) Run(ctx context.Context, script string, stdin io.Reader, stderr func(line string)) error {
	lines := repo.Lines(stderr)
	err := s.Exec(ctx, []string{"sh", "-c", script}, Streams{In: stdin, Out: io.Discard, Err: lines})
	lines.Flush()
	return err
}

// Streams are a command's standard streams; nil ones are empty or discarded.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// ExitError says that a command inside ended with a status other than 0. Signal is set when a signal ended it.
type ExitError struct {
	Status int
	Signal string
}

func (e *ExitError) Error() string {
	if e.Signal != "" {
		return "command was ended by signal " + e.Signal
	}
	return fmt.Sprintf("command ended with status %d", e.Status)
}

// Exec runs a command inside, in the repository's folder, until it ends; when ctx ends first, its processes are killed.
func (s *Session) Exec(ctx context.Context, argv []string, std Streams) error {
	err := s.conn.Exec(ctx, quoteCommand(argv), std.In, std.Out, std.Err)
	if ctx.Err() != nil {
		return joinContext(ctx)
	}
	if exit, ok := errors.AsType[*tunnel.ExitError](err); ok {
		return &ExitError{Status: exit.Status, Signal: exit.Signal}
	}
	return err
}

// quoteCommand makes one line of argv for the user's shell inside. Single quotes mean the same to every shell in use.
func quoteCommand(argv []string) string {
	quoted := make([]string, len(argv))
	for i, arg := range argv {
		quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// Exec runs a command in an attached session; an empty name means the only one. See [Session.Exec].
func (s *Supervisor) Exec(ctx context.Context, name string, argv []string, std Streams) error {
	x, err := s.session(name)
	if err != nil {
		return err
	}
	return x.Exec(ctx, argv, std)
}
