package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

// sshArgs is the command line that enters a session with OpenSSH. One word of a command is a line for the shell inside, as with ssh itself; several
// are words, and stay what they are. None can be an option of ssh's own.
func sshArgs(files session.SSHFiles, command []string) []string {
	argv := []string{"ssh", "-F", files.Config, "--", files.Alias}
	switch len(command) {
	case 0:
		return argv
	case 1:
		return append(argv, command[0])
	}
	return append(argv, quoteWords(command))
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoteWords makes a shell's line of words.
func quoteWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if quoted[i] = w; !plainWord.MatchString(w) {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

func sshCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ssh [flags] [SESSION] [-- command…]",
		Short: "Enter a session with the OpenSSH client, or run one command in it",
		Long: "Enters a session with the OpenSSH client, as its Docker image's user and in the repository's folder. What stands after -- is run instead of a\n" +
			"shell, and its exit status is ours. One word is a line for the shell inside; several are a command and its arguments.",
		Example: "  sketch-ide ssh                                   the session of the repository here\n" +
			"  sketch-ide ssh brave-otter -- 'cd web && npm test'\n" +
			"  sketch-ide ssh -- git log --oneline",
		ValidArgsFunction: o.completeSession, SuggestFor: []string{"shell", "exec", "enter"},
		RunE: func(cmd *cobra.Command, args []string) error {
			args, command, err := splitCommand(cmd, args, 1)
			if err != nil {
				return err
			}
			return o.withSession(cmd.Context(), args, func(ctx context.Context, _ *session.Supervisor, info session.Info) error {
				return o.enter(ctx, info, command, asJSON)
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (o *options) enter(ctx context.Context, info session.Info, command []string, asJSON bool) error {
	store, err := o.store()
	if err != nil {
		return err
	}
	files, err := store.SSH(info.Name)
	if err != nil {
		return err
	}
	argv := sshArgs(files, command)
	if asJSON {
		return writeJSON(o.std.out, jsonrpc.SSHResult{Host: files.Alias, Config: files.Config, Workspace: info.Workspace, Command: quoteWords(argv)})
	}
	if info.State == session.Stopped {
		return session.ErrContainerStopped
	}
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Stdin, c.Stdout, c.Stderr = o.std.in, o.std.out, o.std.err
	err = c.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return &jsonrpc.Error{Kind: jsonrpc.KindInternal, Message: "the OpenSSH client is not installed", Hint: "Install it (apt install openssh-client)."}
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exitError(exit.ExitCode())
	}
	return err
}

// splitCommand parts the arguments before -- from the command after it.
func splitCommand(cmd *cobra.Command, args []string, most int) (before, command []string, err error) {
	before = args
	if n := cmd.ArgsLenAtDash(); n >= 0 {
		before, command = args[:n], args[n:]
	}
	if len(before) > most {
		return nil, nil, tooMany(cmd, most, len(before), " before --")
	}
	return before, command, nil
}

// proxyCommand is OpenSSH's ProxyCommand: the standard streams become the connection to the session's SSH server.
func proxyCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "proxy SESSION", Short: "Connect the standard streams to a session's SSH server (for OpenSSH's ProxyCommand)", Hidden: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%q takes one session", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withSupervisor(cmd.Context(), session.Config{}, func(ctx context.Context, sup *session.Supervisor) error {
				return o.proxy(ctx, sup, args[0])
			})
		},
	}
}

func (o *options) proxy(ctx context.Context, sup *session.Supervisor, name string) error {
	conn, err := sup.Dial(ctx, name)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends both copies
	defer stop()
	// Ends when our input ends; when the server ends first the process does, and this with it.
	go func() {
		_, err := io.Copy(conn, o.std.in)
		if half, ok := conn.(interface{ CloseWrite() error }); ok && err == nil {
			_ = half.CloseWrite() // a server that is gone already has nothing to be told
		}
	}()
	_, err = io.Copy(o.std.out, conn)
	err = errors.Join(err, conn.Close())
	if ctx.Err() != nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) {
		return nil // OpenSSH has what it wanted, and ends us so
	}
	return err
}
