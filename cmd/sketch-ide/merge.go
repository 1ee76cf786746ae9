package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

const pick = "cherry-pick" // as git spells it; the protocol has cherryPick

var ways = []string{"merge", pick, "squash", "reset"}

func mergeCommand(o *options) *cobra.Command {
	var p jsonrpc.MergeParams
	var how string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "merge [SESSION]", Short: "Take a session's commits over into what is checked out here", Args: maxArgs(1), ValidArgsFunction: o.completeSession,
		Long: "Takes a session's commits over into the branch that is checked out in its folder. It is done whole or not at all: nothing happens when files here\n" +
			"have changes that are not committed, or when the work would conflict. Hooks do not run; for those use git merge.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(ways, how) {
				return usagef("--how: %q is not a way to merge; those are %s", how, joined(ways))
			}
			if p.How = jsonrpc.MergeHow(how); how == pick {
				p.How = jsonrpc.MergeCherryPick
			}
			return o.withSession(cmd.Context(), args, func(ctx context.Context, sup *session.Supervisor, info session.Info) error {
				result, err := merge(ctx, sup, info.Name, p)
				if err != nil {
					return err
				}
				if asJSON {
					err = writeJSON(o.std.out, result)
				} else {
					err = printMerge(o.std.out, result)
				}
				if err == nil && len(result.Conflicts) > 0 {
					err = conflictError(result)
				}
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&how, "how", "merge", "the `way`: merge, cherry-pick, squash or reset")
	flags.StringVar(&p.Branch, "branch", "", "one of the session's other `branches`, by its name here")
	completeFlag(cmd, "how", completeWords(ways...))
	flags.StringVarP(&p.Message, "message", "m", "", "the `message` of the commit that a merge or squash makes")
	flags.BoolVarP(&p.DryRun, "dry-run", "n", false, "only say what would happen")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func conflictError(r jsonrpc.MergeResult) error {
	return &jsonrpc.Error{
		Kind: jsonrpc.KindConflict, Message: fmt.Sprintf("%s conflicts with %s in %s", r.Branch, r.Into, joined(shortened(r.Conflicts, 5))),
		Hint: "Nothing was changed. Let the agent take over what is new (git fetch sketch-host), or resolve it by hand: git merge " + r.Branch,
	}
}

// shortened is the list with at most limit words, and how many more there are.
func shortened(words []string, limit int) []string {
	if len(words) <= limit {
		return words
	}
	return append(append([]string{}, words[:limit]...), fmt.Sprintf("%d more", len(words)-limit))
}

func printMerge(w io.Writer, r jsonrpc.MergeResult) error {
	if len(r.Conflicts) > 0 {
		return nil // the error says it
	}
	verb := map[jsonrpc.MergeHow]string{
		jsonrpc.MergeMerge: "merged into", jsonrpc.MergeCherryPick: "picked onto", jsonrpc.MergeSquash: "squashed into", jsonrpc.MergeReset: "taken as",
	}[r.How]
	if !r.Done {
		verb = "would be " + verb
	}
	line := fmt.Sprintf("%s of %s %s %s", commits(r.Commits), r.Branch, verb, r.Into)
	if r.Lost > 0 {
		line += fmt.Sprintf(", which leaves %s behind", commits(r.Lost))
	}
	if r.Done {
		line += fmt.Sprintf(", now at %.12s", r.Commit)
	}
	_, err := fmt.Fprintln(w, strings.TrimSpace(line))
	return err
}
