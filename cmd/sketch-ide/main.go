// Command sketch-ide runs a coding agent's sandbox for a git repository and tells the editor about it.
//
// Started without arguments (or as `serve --stdio`) it is the backend that an editor starts like a language server. `up` does the same for a
// terminal. `agent` is the process inside the container, and `git-remote-sketch` (a link to the same binary) is git's way from
// inside to the repository on the host. The package only wires: what it does is in the packages that it calls.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/sketch-ide/sketch-ide/agent"
)

// version is set by release builds; others say what the Go toolchain knows (see versionInfo).
var version string

func main() {
	// The first signal ends the context, and everything is put away in order; a second one ends the process as if unhandled.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// streams are the process's standard streams; only main names os.Stdin, os.Stdout and os.Stderr.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run is the whole program: exit status 0 when what was asked was done, 1 when it failed, 2 when it was asked wrongly.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	std := streams{stdin, stdout, stderr}
	if filepath.Base(args[0]) == agent.GitRemoteHelperName {
		if err := agent.GitRemoteHelper(ctx, args[1:], stdin, stdout); err != nil {
			fmt.Fprintf(stderr, "%s: %v\n", agent.GitRemoteHelperName, err) // among git's own lines: no codes, no hint
			return 1
		}
		return 0
	}
	cmd := rootCommand(std)
	cmd.SetArgs(args[1:])
	cmd.SetIn(stdin)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	if cmd, err := cmd.ExecuteContextC(ctx); err != nil {
		if _, done := errors.AsType[exitError](err); ctx.Err() != nil && errors.Is(err, context.Canceled) && !done {
			fmt.Fprintln(stderr, "sketch-ide: cancelled")
			return 130 // as a shell reports the end by ctrl-C
		}
		return complain(stderr, cmd.CommandPath(), err)
	}
	return 0
}
