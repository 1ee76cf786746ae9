package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a mistake on the command line: exit status 2.
type usageError struct {
	err  error
	hint string // empty: the help page of the command
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{err: fmt.Errorf(format, args...)} }

// flagError says what is wrong with a flag as a person would: the package that parses them tells of itself and of strconv.
func flagError(_ *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if number, ok := errors.AsType[*strconv.NumError](err); ok {
			return usagef("--%s: %q is not a %s", e.GetFlag().Name, number.Num, kindOf(e.GetFlag()))
		}
		return usagef("--%s: %w", e.GetFlag().Name, e.Unwrap())
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok && e.GetSpecifiedShortnames() != "" {
		return usagef("unknown flag: -%s", e.GetSpecifiedName())
	}
	return &usageError{err: err}
}

// kindOf names what a flag wants that is no text.
func kindOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return "truth value (true, false)"
	case "float64":
		return "number"
	}
	return "whole number"
}

// noArgs refuses arguments; those of the root are mistyped subcommands.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasParent() {
		return unknownCommand(cmd, args[0])
	}
	return usagef("unknown argument %q for %q", args[0], cmd.CommandPath())
}

func unknownCommand(root *cobra.Command, word string) error {
	hint := root.Name() + " --help"
	if like := root.SuggestionsFor(word); len(like) > 0 {
		hint = fmt.Sprintf("Did you mean %s? All are in: %s", strings.Join(like, " or "), hint)
	}
	return &usageError{fmt.Errorf("unknown command %q", word), hint}
}

func maxArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return tooMany(cmd, n, len(args), "")
		}
		return nil
	}
}

func tooMany(cmd *cobra.Command, most, got int, where string) error {
	plural := "s"
	if most == 1 {
		plural = ""
	}
	return usagef("%q takes at most %d argument%s%s, got %d", cmd.CommandPath(), most, plural, where, got)
}

// strictHelp has cobra's own commands refuse what they do not know; by themselves they print a page and succeed.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if found, _, err := root.Find(args); err != nil || len(args) > 0 && found == root {
					return unknownCommand(root, args[0])
				}
				return nil
			}
		case "completion":
			cmd.Args = noArgs
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}
