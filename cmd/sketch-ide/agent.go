package main

import (
	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/agent"
)

// agentCommand is the process inside the container.
func agentCommand(o *options) *cobra.Command {
	var config string
	var connect bool
	cmd := &cobra.Command{
		Use: "agent", Short: "Run inside a session's container (started by sketch-ide itself)", Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if connect {
				return agent.Connect(cmd.Context(), o.std.in, o.std.out)
			}
			if !cmd.Flags().Changed("log-level") {
				o.logLevel = "info" // it is what sketch-ide logs shows
			}
			log, closeLog, err := o.logger()
			if err != nil {
				return err
			}
			cfg, err := agent.Load(config)
			if err != nil {
				return err
			}
			if err := agent.Run(cmd.Context(), cfg, log); err != nil && cmd.Context().Err() == nil {
				return err
			}
			return closeLog()
		},
	}
	cmd.Flags().StringVar(&config, "config", agent.ConfigPath, "the configuration `file`")
	cmd.Flags().BoolVar(&connect, "connect", false, "join the standard streams with the SSH server of the agent that runs")
	return cmd
}
