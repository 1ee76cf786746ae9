package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/acp"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

func acpCommand(o *options) *cobra.Command {
	var settings settingsFlag
	cmd := &cobra.Command{
		Use:   "acp",
		Short: "Speak the Agent Client Protocol on the standard streams (for Zed, JetBrains and others)",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serveACP(cmd.Context(), o, settings) },
	}
	settings.register(cmd.Flags())
	return cmd
}

// serveACP is one editor that speaks ACP: it ends with the editor, and leaves the sessions running.
func serveACP(ctx context.Context, o *options, flag settingsFlag) (err error) {
	settings, err := flag.decode(nil) // the protocol has none to send
	if err != nil {
		return err
	}
	o.greet("ACP")
	log, closeLog, err := o.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }() // the named result
	b := &backend{options: o}
	server := acp.NewServer(acp.Config{Backend: b, Log: log, Version: versionInfo().Version})
	b.server = server
	return o.withSupervisor(ctx, session.Config{Observer: b, Agents: b}, func(ctx context.Context, sup *session.Supervisor) error {
		b.sup = sup
		sup.Configure(settings)
		return server.Serve(ctx, jsonrpc.Stdio(o.std.in, o.std.out))
	})
}
