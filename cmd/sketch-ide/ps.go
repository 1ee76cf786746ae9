package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

func psCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ps", Short: "List the sessions of this machine", Args: noArgs, SuggestFor: []string{"ls", "list", "sessions"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.withSupervisor(cmd.Context(), session.Config{}, func(ctx context.Context, sup *session.Supervisor) error {
				list, err := sup.Sessions(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(o.std.out, jsonrpc.SessionsResult{Sessions: wireSessions(list)})
				}
				return printSessions(o.std.out, list)
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func printSessions(w io.Writer, list []session.Info) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no sessions; sketch-ide up starts one")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintln(t, "SESSION\tSTATE\tPORTS\tAGE\tFOLDER")
	for _, i := range list {
		state := string(i.State)
		if i.State == session.Connected {
			// Seen from outside, a running container is all there is to know; whether somebody is attached is the useful half.
			state = "running"
			if i.Owned {
				state = "attached"
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", clean(i.Name), state, portSummary(i), age(i.Created), clean(i.Folder))
	}
	return t.Flush()
}

func portSummary(i session.Info) string {
	summary := ""
	for _, f := range i.Forwards {
		if f.HostPort == 0 {
			continue
		}
		if summary != "" {
			summary += " "
		}
		summary += fmt.Sprint(f.Port)
		if f.HostPort != f.Port {
			summary += fmt.Sprintf("→%d", f.HostPort)
		}
	}
	if summary == "" {
		return "-"
	}
	return summary
}

// age renders how long ago t was, in the largest unit that says something.
func age(t time.Time) string {
	d := time.Since(t)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
