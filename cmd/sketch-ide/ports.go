package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/session"
	"github.com/sketch-ide/sketch-ide/tunnel"
)

func portsCommand(o *options) *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use: "ports [SESSION]", Short: "List a session's ports and where they are on this machine", Args: maxArgs(1), ValidArgsFunction: o.completeSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withSession(cmd.Context(), args, func(ctx context.Context, _ *session.Supervisor, info session.Info) error {
				if watch {
					return o.watchPorts(ctx, info, asJSON)
				}
				if asJSON {
					return writeJSON(o.std.out, jsonrpc.PortsResult{Session: info.Name, Ports: wirePorts(info.Forwards)})
				}
				return printPorts(o.std.out, info)
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on telling what changes, until ctrl-C")
	return cmd
}

// watchPorts tells what the session's owner forwards, as `up` does, without taking part in it.
func (o *options) watchPorts(ctx context.Context, info session.Info, asJSON bool) error {
	store, err := o.store()
	if err != nil {
		return err
	}
	front := newFront(o.std.out, asJSON, true, "ends this list")
	defer front.quiet()
	attended := true
	err = store.Watch(ctx, info.Name, func(shared session.Shared) {
		if info.State, info.Err = shared.State, shared.Err; shared.Owned {
			front.SessionChanged(info)
		} else if attended {
			front.line("%s", unattended(info.Name))
			shared.Forwards = nil // nobody listens on what the last window had
		}
		attended, info.Forwards = shared.Owned, shared.Forwards
		front.PortsChanged(info)
	})
	if ctx.Err() != nil {
		return nil // ctrl-C is how one ends it
	}
	return err
}

func unattended(name string) string {
	return "nobody is attached to " + name + ", so no port is forwarded; sketch-ide up attaches"
}

func printPorts(w io.Writer, info session.Info) error {
	if !info.Owned && !info.Attached {
		_, err := fmt.Fprintln(w, unattended(info.Name))
		return err
	}
	if len(info.Forwards) == 0 {
		_, err := fmt.Fprintf(w, "no port is open in %s\n", info.Name)
		return err
	}
	return portTable(w, info.Forwards)
}

func portTable(w io.Writer, forwards []tunnel.Forward) error {
	t := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintln(t, "PORT\tFORWARDED ADDRESS\tPROCESS\tSTATE")
	for _, f := range forwards {
		p := wirePort(f)
		name := p.Process
		if p.Label != "" {
			name = p.Label
		}
		address, state := p.URL, string(p.Status)
		if address == "" {
			address = "-"
		}
		if name == "" {
			name = "-"
		}
		if p.Reason != "" {
			state += " (" + p.Reason + ")"
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\n", p.Number, address, clean(name), clean(state))
	}
	return t.Flush()
}

// portLines is portTable for a terminal that is too narrow for it.
func portLines(forwards []tunnel.Forward) []string {
	var lines []string
	for _, f := range forwards {
		p := wirePort(f)
		line := fmt.Sprint(p.Number)
		switch {
		case p.Status != jsonrpc.PortForwarded:
			line += " " + string(p.Status)
		case p.HostPort != p.Number:
			line += fmt.Sprint(" → ", p.HostPort)
		}
		if p.Reason != "" {
			line += " (" + p.Reason + ")"
		}
		if name := cmp.Or(p.Label, p.Process); name != "" {
			line += " " + name
		}
		lines = append(lines, clean(line))
	}
	return lines
}

// withSession runs f with the session that the arguments name; without one, the session of the repository that we stand in, or the only one.
func (o *options) withSession(ctx context.Context, args []string, f func(context.Context, *session.Supervisor, session.Info) error) error {
	return o.withSupervisor(ctx, session.Config{}, func(ctx context.Context, sup *session.Supervisor) error {
		name, folder := "", ""
		if len(args) > 0 {
			name = args[0]
		} else {
			folder = currentRepository(ctx)
		}
		info, err := sup.Find(ctx, name, folder)
		if err != nil {
			return err
		}
		return f(ctx, sup, info)
	})
}

// withOwnSession is withSession for what ends a session: one that is not named must be the one of the repository that we stand in.
func (o *options) withOwnSession(cmd *cobra.Command, args []string, f func(context.Context, *session.Supervisor, session.Info) error) error {
	return o.withSession(cmd.Context(), args, func(ctx context.Context, sup *session.Supervisor, info session.Info) error {
		if len(args) == 0 && info.Folder != currentRepository(ctx) {
			e := &usageError{err: fmt.Errorf("name the session: the only one, %s, is of another folder (%s)", info.Name, info.Folder)}
			e.hint = fmt.Sprintf("If it is meant: %s %s", cmd.CommandPath(), info.Name)
			return e
		}
		return f(ctx, sup, info)
	})
}

// currentRepository is the root of the repository that we stand in; empty where there is none, which is no error here.
func currentRepository(ctx context.Context) string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	r, err := repo.Open(ctx, dir)
	if err != nil {
		return ""
	}
	return r.Root
}
