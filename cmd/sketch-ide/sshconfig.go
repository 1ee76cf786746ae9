package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

func sshConfigCommand(o *options) *cobra.Command {
	var asJSON, install, remove bool
	var p jsonrpc.SSHConfigParams
	cmd := &cobra.Command{
		Use: "ssh-config", Short: "Make `ssh sketch-…` work in every terminal and in Remote-SSH: one line in ~/.ssh/config", Args: noArgs,
		Long: "Tells whether ~/.ssh/config includes the file in which sketch-ide keeps an entry for each session; --install adds the one Include line at its top,\n" +
			"--remove takes it out again. Nothing else in the file is touched.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case install && remove:
				return usagef("--install and --remove exclude each other")
			case install:
				p.Action = jsonrpc.SSHConfigInstall
			case remove:
				p.Action = jsonrpc.SSHConfigRemove
			}
			status, err := o.sshConfig(cmd.Context(), p)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(o.std.out, wireSSHConfig(status))
			}
			_, err = fmt.Fprintln(o.std.out, sshConfigLine(wireSSHConfig(status), p.Action))
			return err
		},
	}
	cmd.Flags().BoolVar(&install, "install", false, "add the line")
	cmd.Flags().BoolVar(&remove, "remove", false, "remove the line")
	cmd.Flags().StringVar(&p.File, "file", "", "the SSH configuration, a `file` (default: $"+sshConfigEnv+", else ~/.ssh/config)")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func sshConfigLine(s jsonrpc.SSHConfigResult, asked jsonrpc.SSHConfigAction) string {
	switch {
	case s.Changed && s.Installed:
		return "added to " + s.File + ": " + s.Line
	case s.Changed:
		return "removed from " + s.File + ": " + s.Line
	case s.Installed:
		return s.File + " has the line: " + s.Line
	case asked == jsonrpc.SSHConfigRemove:
		return s.File + " does not have the line"
	}
	return s.File + " does not have the line; sketch-ide ssh-config --install adds it at the top: " + s.Line
}
