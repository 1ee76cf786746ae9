package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/agent/agentbin"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

func doctorCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check what sketch-ide needs on this machine", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			result := o.examine(cmd.Context())
			if asJSON {
				if err := writeJSON(o.std.out, result); err != nil {
					return err
				}
			} else {
				o.printChecks(result)
			}
			if !result.OK {
				return exitError(1)
			}
			return nil
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (o *options) printChecks(result jsonrpc.DoctorResult) {
	for _, c := range result.Checks {
		mark := "ok  "
		switch {
		case !c.OK:
			mark = "FAIL"
		case c.Hint != "": // the main job is done without it
			mark = "note"
		}
		fmt.Fprintf(o.std.out, "%s  %-18s %s\n", mark, c.Name, c.Detail)
		if c.Hint != "" {
			fmt.Fprintf(o.std.out, "      hint: %s\n", c.Hint)
		}
	}
}

// examine checks the machine, one thing after the other; a check that cannot be made because an earlier one failed is left out.
func (o *options) examine(ctx context.Context) jsonrpc.DoctorResult {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var checks []jsonrpc.DoctorCheck
	checks = append(checks, checkProgram(ctx, "git", true, "--version"), checkProgram(ctx, "ssh", false, "-V"), o.checkState())
	checks = append(checks, o.checkEngine(ctx)...)
	result := jsonrpc.DoctorResult{OK: true, Checks: checks}
	for _, c := range checks {
		result.OK = result.OK && c.OK
	}
	return result
}

// checkProgram runs a program for its version. One that is not needed for the main job is reported, but is no fault when missing.
func checkProgram(ctx context.Context, name string, needed bool, flag string) jsonrpc.DoctorCheck {
	out, err := exec.CommandContext(ctx, name, flag).CombinedOutput()
	if err != nil {
		return jsonrpc.DoctorCheck{Name: name, OK: !needed, Detail: "not found", Hint: "Install " + name + "."}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return jsonrpc.DoctorCheck{Name: name, OK: true, Detail: first}
}

func (o *options) checkState() jsonrpc.DoctorCheck {
	if _, err := o.store(); err != nil {
		return failed("state directory", err)
	}
	return jsonrpc.DoctorCheck{Name: "state directory", OK: true, Detail: "can be written"}
}

func failed(name string, err error) jsonrpc.DoctorCheck {
	e := explain(err)
	return jsonrpc.DoctorCheck{Name: name, Detail: e.Message, Hint: e.Hint}
}

func (o *options) checkEngine(ctx context.Context) []jsonrpc.DoctorCheck {
	e, err := o.engine(ctx)
	if err != nil {
		return []jsonrpc.DoctorCheck{failed("Docker engine", err)}
	}
	checks := []jsonrpc.DoctorCheck{{
		Name: "Docker engine", OK: true, Detail: fmt.Sprintf("%s at %s (%s), linux/%s", e.Release(), e.Host(), e.Origin(), e.Arch()),
	}}
	if !e.Limits() {
		checks = append(checks, jsonrpc.DoctorCheck{
			Name: "limits", OK: true, Detail: "this engine enforces none of memory and processes",
			Hint: "Sessions can use up the machine. A rootless engine needs cgroups of version 2, delegated to its user.",
		})
	}
	if _, err := agentbin.For(e.Arch()); err != nil {
		checks = append(checks, failed("agent", err))
	} else {
		checks = append(checks, jsonrpc.DoctorCheck{Name: "agent", OK: true, Detail: "there is one for linux/" + e.Arch()})
	}
	if err := e.Close(); err != nil {
		checks = append(checks, failed("Docker engine", err))
	}
	return checks
}

// engineName is the engine in a word or two; empty when none answers.
func (o *options) engineName(ctx context.Context) string {
	e, err := o.engine(ctx)
	if err != nil {
		return ""
	}
	name := "Docker " + e.Release()
	if err := e.Close(); err != nil {
		return ""
	}
	return name
}
