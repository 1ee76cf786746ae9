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
	return &cobra.Command{
		Use:   "acp",
		Short: "Speak the Agent Client Protocol on the standard streams (for Zed, JetBrains and others)",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serveACP(cmd.Context(), o) },
	}
}

// serveACP is one editor that speaks ACP: it ends with the editor, and leaves the sessions running.
func serveACP(ctx context.Context, o *options) (err error) {
	log, closeLog, err := o.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }() // the named result
	b := &backend{options: o}
	server := acp.NewServer(acp.Config{Backend: b, Log: log, Version: versionInfo().Version})
	b.server = server
	return o.withSupervisor(ctx, session.Config{Observer: b}, func(ctx context.Context, sup *session.Supervisor) error {
		b.sup = sup
		settings, err := decodeSettings(nil) // ACP has none to send: the environment's count
		if err != nil {
			return err
		}
		sup.Configure(settings)
		return server.Serve(ctx, jsonrpc.Stdio(o.std.in, o.std.out))
	})
}
