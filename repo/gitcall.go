package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// gitCall is one run of git that takes or gives more than an answer of one line.
type gitCall struct {
	dir  string   // -C; empty: none
	env  []string // nil: environment()
	args []string
	in   io.Reader
	out  io.Writer // nil: discarded; its first error ends git
}

func (c gitCall) run(ctx context.Context) error {
	args := append([]string{}, quiet...)
	if c.dir != "" {
		args = append(args, "-C", c.dir)
	}
	env := c.env
	if env == nil {
		env = environment()
	}
	cmd := command(ctx, env, append(args, c.args...)...)
	errs := &tail{limit: maxErrors}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.in, c.out, errs
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("run git %s: %w", c.name(), context.Cause(ctx))
	}
	return &gitError{command: c.name(), stderr: strings.TrimSpace(errs.String()), err: err}
}

// name is the subcommand, behind any options.
func (c gitCall) name() string {
	for _, arg := range c.args {
		if !strings.HasPrefix(arg, "-") && !strings.Contains(arg, "=") {
			return arg
		}
	}
	return ""
}

// answer returns the standard output, of at most limit bytes, without its last newline.
func (c gitCall) answer(ctx context.Context, limit int) (string, error) {
	out := &head{limit: limit}
	c.out = out
	err := c.run(ctx)
	if out.over {
		return "", fmt.Errorf("run git %s: its answer is longer than %d bytes: %w", c.name(), limit, errTooLong)
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

var errTooLong = errors.New("answer is too long")
