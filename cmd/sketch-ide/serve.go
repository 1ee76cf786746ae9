package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

func serveCommand(o *options) *cobra.Command {
	var stdio bool
	var settings settingsFlag
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Speak LSP on the standard streams (what an editor starts)",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !stdio {
				return usagef("--stdio: there are only the standard streams")
			}
			return serve(cmd.Context(), o, settings)
		},
	}
	// Language clients append --stdio by custom; there is no other transport to choose.
	cmd.Flags().BoolVar(&stdio, "stdio", true, "use the standard streams")
	settings.register(cmd.Flags())
	return cmd
}

// exitError is an error that only carries the process's exit status; what there was to say has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// greet tells a person at a terminal, who has started by hand what editors start, why nothing happens.
func (o *options) greet(protocol string) {
	if isTerminalReader(o.std.in) {
		fmt.Fprintf(o.std.err, "sketch-ide waits for messages of %s on its standard input, as an editor sends them. ctrl-C ends it; sketch-ide --help says what else there is.\n", protocol)
	}
}

// serve is one editor window: it ends with the editor, and leaves the sessions running.
func serve(ctx context.Context, o *options, user settingsFlag) (err error) {
	o.greet("LSP")
	log, closeLog, err := o.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }() // the named result
	b := &backend{options: o, user: user}
	server := jsonrpc.NewServer(jsonrpc.ServerConfig{Backend: b, Log: log, Version: versionInfo().Version, OpenBrowser: openBrowser})
	b.server = server
	code := 0
	err = o.withSupervisor(ctx, session.Config{Observer: b, Agents: b}, func(ctx context.Context, sup *session.Supervisor) error {
		b.sup = sup
		if err := b.Configure(nil, false); err != nil { // until the editor sends its own, and where it sends none
			return err
		}
		code, err = server.Serve(ctx, jsonrpc.Stdio(o.std.in, o.std.out))
		return err
	})
	if err != nil {
		return err
	}
	if code != 0 {
		return exitError(code)
	}
	return nil
}

// openBrowser opens url in the host's browser. The program that does so is not waited for: some stay until the browser closes.
func openBrowser(ctx context.Context, url string) error {
	name, args := "xdg-open", []string{url}
	switch {
	case os.Getenv("BROWSER") != "":
		name = os.Getenv("BROWSER")
	case runtime.GOOS == "darwin":
		name = "open"
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), name, args...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open browser: %w", err)
	}
	// Ends with the program; nobody waits, because its end means nothing to us and process exit may come first.
	go func() { _ = cmd.Wait() }()
	return nil
}
