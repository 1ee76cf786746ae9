package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/container"
	"github.com/sketch-ide/sketch-ide/session"
)

// options are the flags that every subcommand has.
type options struct {
	std      streams
	host     string // the engine's address; empty: DOCKER_HOST, the docker context, the usual sockets
	stateDir string
	logLevel string
	logFile  string
}

func rootCommand(std streams) *cobra.Command {
	o := &options{std: std}
	root := &cobra.Command{
		Use:   "sketch-ide",
		Short: "A coding agent's sandbox for the git repository in your editor, its servers forwarded to localhost",
		Long: "sketch-ide runs a container for a git repository, forwards every server that listens in it to localhost within\n" +
			"milliseconds, and tells the editor. Without a subcommand it speaks LSP on its standard streams: an editor starts it so.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		Version:       versionInfo().line(),
		RunE:          func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o, settingsFlag{}) },
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&o.host, "host", "H", "", "Docker engine `address` (default: DOCKER_HOST, the docker context, the usual sockets)")
	flags.StringVar(&o.stateDir, "state-dir", "", "state `directory` (default: $XDG_STATE_HOME/sketch-ide)")
	flags.StringVar(&o.logLevel, "log-level", "warn", "what is logged to standard error: debug, info, warn, error")
	flags.StringVar(&o.logFile, "log-file", "", "append the log to `file` instead of standard error")
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SuggestionsMinimumDistance = 1
	root.AddCommand(
		serveCommand(o), acpCommand(o), upCommand(o), chatCommand(o), psCommand(o), portsCommand(o), sshCommand(o), sshConfigCommand(o), stopCommand(o), rmCommand(o), pruneCommand(o),
		logsCommand(o), diffCommand(o), mergeCommand(o), doctorCommand(o), versionCommand(o), agentCommand(o), proxyCommand(o),
	)
	completeFlag(root, "log-level", completeWords("debug", "info", "warn", "error"))
	strictHelp(root)
	return root
}

// logger is where this process logs: never standard output, which belongs to frames and to what was asked for.
func (o *options) logger() (*slog.Logger, func() error, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, nil, usagef("--log-level %q: want debug, info, warn or error", o.logLevel)
	}
	w, done := o.std.err, func() error { return nil }
	if o.logFile != "" {
		f, err := os.OpenFile(o.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, usagef("--log-file: %w", err)
		}
		w, done = f, f.Close
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), done, nil
}

func (o *options) store() (*session.Store, error) {
	dir := o.stateDir
	if dir == "" {
		var err error
		if dir, err = session.DefaultStateDir(); err != nil {
			return nil, err
		}
	}
	return session.OpenStore(dir)
}

func (o *options) engine(ctx context.Context) (*container.Engine, error) {
	store, err := o.store()
	if err != nil {
		return nil, err
	}
	return container.Connect(ctx, container.Options{Host: o.host, Origin: "--host", Version: versionInfo().Version, Owner: store.ID()})
}

// withSupervisor runs f beside a supervisor, and detaches from every session when f returns.
func (o *options) withSupervisor(ctx context.Context, config session.Config, f func(context.Context, *session.Supervisor) error) (err error) {
	log, closeLog, err := o.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	if config.Store, err = o.store(); err != nil {
		return err
	}
	config.Connect = func(ctx context.Context) (session.Engine, error) { return o.engine(ctx) }
	config.Version = versionInfo().Version
	config.Log = log
	sup := session.NewSupervisor(config)
	// The supervisor outlives f's context for as long as putting things away takes; it is stopped and waited for right here.
	runCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- sup.Run(runCtx) }()
	err = f(ctx, sup)
	stop()
	return errors.Join(err, <-ended)
}

// joined renders a list for a sentence.
func joined(words []string) string { return strings.Join(words, ", ") }
