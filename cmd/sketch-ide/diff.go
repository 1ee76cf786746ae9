package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/repo"
	"github.com/sketch-ide/sketch-ide/session"
)

func diffCommand(o *options) *cobra.Command {
	var asJSON, stat, uncommitted bool
	var path, branch string
	var lines int
	cmd := &cobra.Command{
		Use: "diff [SESSION]", Short: "Show what a session has changed", Args: maxArgs(1), ValidArgsFunction: o.completeSession,
		Long: "Shows what a session's commits have changed since it began, or, with --uncommitted, its files as they are inside now.\n" +
			"Branches that were made inside beside its own are listed by --stat, and shown with --branch.",
		RunE: func(cmd *cobra.Command, args []string) error {
			options := session.DiffOptions{DiffOptions: repo.DiffOptions{Path: path, Context: lines}, Branch: branch, Uncommitted: uncommitted}
			if stat {
				options.Context = -1
			}
			return o.withSession(cmd.Context(), args, func(ctx context.Context, sup *session.Supervisor, info session.Info) error {
				d, err := sup.Diff(ctx, info.Name, options)
				if err != nil {
					return err
				}
				switch result := wireDiff(d); {
				case asJSON:
					return writeJSON(o.std.out, result)
				case stat:
					return errors.Join(printStat(o.std.out, result), printOthers(o.std.out, d))
				default:
					return printDiff(o.std.out, result, colored(o.std.out))
				}
			})
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&uncommitted, "uncommitted", "u", false, "up to the files as they are inside, rather than to the last commit")
	flags.BoolVar(&stat, "stat", false, "only list the files")
	flags.StringVar(&path, "path", "", "only this `file`, relative to the repository")
	flags.StringVar(&branch, "branch", "", "one of the session's other `branches`, by its name here")
	cmd.MarkFlagsMutuallyExclusive("branch", "uncommitted")
	flags.IntVarP(&lines, "context", "U", 3, "`lines` around a change")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// colored reports whether w is a terminal that wants colours (no-color.org).
func colored(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd()))
}

func printStat(w io.Writer, d jsonrpc.DiffResult) error {
	b := bufio.NewWriter(w)
	added, deleted := 0, 0
	for _, f := range d.Files {
		name := pathWord(f.Path)
		if f.OldPath != "" {
			name = pathWord(f.OldPath) + " → " + name
		}
		counts := fmt.Sprintf("+%d -%d", f.Added, f.Deleted)
		if f.Binary {
			counts = "binary"
		}
		fmt.Fprintf(b, "%-11s %12s  %s\n", f.Status, counts, name)
		added, deleted = added+f.Added, deleted+f.Deleted
	}
	files := "1 file"
	if len(d.Files) != 1 {
		files = fmt.Sprint(len(d.Files), " files")
	}
	fmt.Fprintf(b, "%s, +%d -%d, on %s\n", files, added, deleted, d.Branch)
	printTruncated(b, d)
	return b.Flush()
}

// printOthers lists the branches that the session has beside the one that is shown; their names inside are the container's words.
func printOthers(w io.Writer, d session.WorkDiff) error {
	var lines []string
	for _, o := range d.Others {
		if o.Name != "" && o.Name != d.Branch {
			lines = append(lines, fmt.Sprintf("also there: %s (%s inside)\n", o.Name, clean(o.Inside)))
		}
	}
	_, err := io.WriteString(w, strings.Join(lines, ""))
	return err
}

func printTruncated(w io.Writer, d jsonrpc.DiffResult) {
	if d.Truncated {
		fmt.Fprintf(w, "There is more than is shown here: git diff %.12s %s\n", d.Base, d.Branch)
	}
}

// printDiff writes a unified diff for people. What would act on a terminal is made visible: it comes from the container.
func printDiff(w io.Writer, d jsonrpc.DiffResult, color bool) error {
	b := bufio.NewWriter(w)
	paint := func(code, line string) {
		if color {
			line = "\x1b[" + code + "m" + line + "\x1b[0m"
		}
		fmt.Fprintln(b, line)
	}
	for _, f := range d.Files {
		old, now := "a/"+f.Path, "b/"+f.Path
		if f.OldPath != "" {
			old = "a/" + f.OldPath
		}
		switch f.Status {
		case jsonrpc.FileAdded:
			old = "/dev/null"
		case jsonrpc.FileDeleted:
			now = "/dev/null"
		case jsonrpc.FileModified, jsonrpc.FileRenamed, jsonrpc.FileTypeChanged:
		}
		paint("1", "--- "+pathWord(old))
		paint("1", "+++ "+pathWord(now))
		switch {
		case f.Binary:
			fmt.Fprintln(b, "binary")
		case len(f.Hunks) == 0 && f.Added+f.Deleted > 0:
			fmt.Fprintf(b, "+%d -%d lines, too many to show here\n", f.Added, f.Deleted)
		}
		for _, h := range f.Hunks {
			paint("36", strings.TrimRight(fmt.Sprintf("@@ -%d,%d +%d,%d @@ %s", h.OldStart, h.OldLines, h.NewStart, h.NewLines, clean(h.Header)), " "))
			for _, line := range h.Lines {
				paint(lineColor(line), clean(line))
			}
		}
	}
	printTruncated(b, d)
	return b.Flush()
}

func lineColor(line string) string {
	switch line[0] {
	case '+':
		return "32"
	case '-':
		return "31"
	}
	return "0"
}

// pathWord is a path on one line.
func pathWord(path string) string {
	if strings.ContainsAny(path, "\n\t\"") {
		path = strconv.Quote(path)
	}
	return clean(path)
}
