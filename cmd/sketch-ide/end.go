package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

// ended is what stop and rm print with --json.
type ended struct {
	Session string `json:"session"`
	State   string `json:"state"` // "stopped" or "removed"
}

// say tells the end of a session.
func (o *options) say(e ended, asJSON bool, line string) error {
	if asJSON {
		return writeJSON(o.std.out, e)
	}
	_, err := fmt.Fprintln(o.std.out, line)
	return err
}

func stopCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "stop [SESSION]", Short: "Stop a session's container and keep its files; up resumes it", Args: maxArgs(1), ValidArgsFunction: o.completeSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withOwnSession(cmd, args, func(ctx context.Context, sup *session.Supervisor, info session.Info) error {
				if err := sup.Stop(ctx, info.Name); err != nil {
					return err
				}
				return o.say(ended{info.Name, "stopped"}, asJSON, info.Name+" stopped; sketch-ide up resumes it, sketch-ide rm removes it")
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func rmCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "rm [SESSION]", Short: "Remove a session with everything in its container", SuggestFor: []string{"remove", "delete", "kill"}, Args: maxArgs(1), ValidArgsFunction: o.completeSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withOwnSession(cmd, args, func(ctx context.Context, sup *session.Supervisor, info session.Info) error {
				if err := sup.Remove(ctx, info.Name); err != nil {
					return err
				}
				return o.say(ended{info.Name, "removed"}, asJSON, info.Name+" removed")
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func pruneCommand(o *options) *cobra.Command {
	var asJSON bool
	var p session.PruneOptions
	cmd := &cobra.Command{
		Use: "prune", Short: "Remove what earlier sessions left: stopped containers, unused images, state", Args: noArgs,
		Long: "Removes sessions whose containers are stopped or half made and that nobody is attached to, with what is in them, volumes of repositories that\n" +
			"then have no session, images that no container uses, and state without a container. It touches only what bears sketch-ide's labels, lies in its state directory, or is a ref below refs/sketch/ of such a\n" +
			"session. Branches stay, and so do commits that were brought out and that no branch has.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.withSupervisor(cmd.Context(), session.Config{}, func(ctx context.Context, sup *session.Supervisor) error {
				removed, err := sup.Prune(ctx, p)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(o.std.out, pruneResult(removed))
				}
				return o.printPruned(removed, p.DryRun)
			})
		},
	}
	cmd.Flags().BoolVar(&p.All, "all", false, "also remove running sessions that nobody is attached to")
	cmd.Flags().BoolVar(&p.KeepImages, "keep-images", false, "leave the images, so that the next start of each repository stays quick")
	cmd.Flags().BoolVar(&p.DryRun, "dry-run", false, "only say what would be removed")
	cmd.Flags().BoolVar(&p.Branches, "branches", false, "also remove the removed sessions' branches, where a branch outside of sketch/ has all of their commits")
	cmd.Flags().BoolVar(&p.Orphans, "orphans", false, "also remove sessions of other state directories of this machine that are gone, such as those of tests that were killed")
	cmd.Flags().Var((*ageValue)(&p.Older), "older", "only what was made at least so long ago, an `age` such as 7d or 12h")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func pruneResult(removed []session.Pruned) jsonrpc.PruneResult {
	result := jsonrpc.PruneResult{Removed: []string{}}
	for _, r := range removed {
		result.Removed = append(result.Removed, r.Kind+" "+r.Name)
		result.Bytes += r.Bytes
	}
	return result
}

func (o *options) printPruned(removed []session.Pruned, dry bool) error {
	verb := "removed"
	if dry {
		verb = "would remove"
	}
	for _, r := range removed {
		fmt.Fprintf(o.std.out, "%s %s %s%s\n", verb, r.Kind, shortDigest(r.Name), megabytes(r.Bytes, "   "))
	}
	_, err := fmt.Fprintf(o.std.out, "%s %d%s\n", verb, len(removed), megabytes(pruneResult(removed).Bytes, ", "))
	return err
}

// megabytes is nothing where nothing, or nothing that is known, is freed: not every engine tells.
func megabytes(bytes int64, before string) string {
	if bytes < 1e5 {
		return ""
	}
	return fmt.Sprintf("%s%.1f MB", before, float64(bytes)/1e6)
}

// shortDigest is what people know an image without a name by.
func shortDigest(name string) string {
	digest, ok := strings.CutPrefix(name, "sha256:")
	if !ok {
		return name
	}
	return digest[:min(12, len(digest))]
}

const defaultLogLines = 200

func logsCommand(o *options) *cobra.Command {
	var lines int
	cmd := &cobra.Command{
		Use: "logs [SESSION]", Short: "Print what a session's agent logged", Args: maxArgs(1), ValidArgsFunction: o.completeSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if lines < 1 {
				return usagef("--lines: want 1 or more")
			}
			return o.withSession(cmd.Context(), args, func(ctx context.Context, sup *session.Supervisor, info session.Info) error {
				text, err := sup.Logs(ctx, info.Name, lines)
				if err != nil {
					return err
				}
				_, err = fmt.Fprint(o.std.out, clean(text))
				return err
			})
		},
	}
	cmd.Flags().IntVarP(&lines, "lines", "n", defaultLogLines, "at most so many of the last lines")
	return cmd
}

func splitLines(text string) []string {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return []string{}
	}
	return strings.Split(text, "\n")
}
