package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
	"github.com/sketch-ide/sketch-ide/jsonrpc"
	"github.com/sketch-ide/sketch-ide/session"
)

// upFlags are what `up` can be told.
type upFlags struct {
	box    containerFlags
	start  session.StartOptions
	remove bool
	talk   talkFlags
	prompt string
	once   bool
}

func upCommand(o *options) *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up [flags] [DIR] [-- command…]",
		Short: "Start or resume the session of a repository and forward its ports, in a terminal",
		Long: "Starts the session of the repository that DIR (default: here) belongs to, or attaches to the one it has, and forwards its ports for as\n" +
			"long as it runs. With a command, runs that inside and ends with it. Ctrl-C detaches: the container goes on, and up comes back to it.",
		Example: "  sketch-ide up                                      the repository here; a list of its ports until ctrl-C\n" +
			"  sketch-ide up ~/src/app -- npm run dev\n" +
			"  sketch-ide up --rm --one-shot --prompt 'Fix the failing test'",
		ValidArgsFunction: completeFolder, SuggestFor: []string{"start", "run", "open", "resume"},
		RunE: func(cmd *cobra.Command, args []string) error {
			dirs, command, err := splitCommand(cmd, args, 1)
			if err != nil {
				return err
			}
			f.start.Folder = folderArg(dirs)
			switch {
			case f.prompt != "" && len(command) > 0:
				return usagef("--prompt and a command exclude each other")
			case f.once && f.prompt == "":
				return usagef("--one-shot wants a --prompt")
			}
			return o.up(cmd.Context(), f, command)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.start.BaseImage, "base-image", os.Getenv(baseImageEnv), "the `image` to build from where the repository has no Dockerfile.sketch")
	f.box.register(flags)
	completeFlag(cmd, "network", completeWords("bridge", "none"))
	flags.StringVar(&f.start.Name, "name", "", "the session's `name`, sketch-…, for a second session of a repository")
	flags.BoolVar(&f.start.Dirty, "dirty", false, "a new session begins with what is not committed here too")
	flags.BoolVar(&f.start.Rebuild, "rebuild", false, "build the image again and start a new session")
	flags.BoolVar(&f.remove, "rm", false, "remove the session at the end instead of detaching")
	flags.StringVar(&f.prompt, "prompt", "", "a `text` for the agent, - for standard input; what it does is shown")
	flags.BoolVar(&f.once, "one-shot", false, "with --prompt: end with the agent's turn; the exit status tells how it ended, see sketch-ide chat --help")
	flags.StringVar(&f.talk.model, "model", "", "the `name` of the agent's model in the settings")
	f.talk.settings.register(flags)
	flags.BoolVar(&f.talk.json, "json", false, "print one JSON object a line for each event; a command's output goes to standard error")
	return cmd
}

func (o *options) up(ctx context.Context, f upFlags, command []string) error {
	asked, err := f.box.json()
	if err != nil {
		return err
	}
	if _, err := decodeSettings(asked); err != nil {
		return &usageError{err: err}
	}
	settings, err := f.talk.settings.decode(asked)
	if err != nil {
		return err
	}
	if err := o.readPrompt(&f); err != nil {
		return err
	}
	front := newFront(o.std.out, f.talk.json, len(command) == 0, "detaches")
	if front.screen.live && o.logFile == "" {
		o.std.err = front // nothing may be written into the live list
	}
	return o.withSupervisor(ctx, session.Config{Observer: front, Agents: front}, func(ctx context.Context, sup *session.Supervisor) error {
		sup.Configure(settings)
		begun := time.Now()
		info, err := sup.Start(ctx, f.start, front.progress)
		if err != nil {
			return err
		}
		front.ready(info, time.Since(begun))
		err = o.during(ctx, sup, info, front, f, command)
		return errors.Join(err, o.leave(ctx, sup, info, f, front))
	})
}

// during is what happens between the start and the end: the command, or the user's ctrl-C, or the end of the container.
func (o *options) during(ctx context.Context, sup *session.Supervisor, info session.Info, front *front, f upFlags, command []string) error {
	if len(command) == 0 {
		if err := front.promptFrom(ctx, sup, info.Name, f); err != nil || f.once {
			return err
		}
		select {
		case <-ctx.Done():
		case <-front.gone:
		}
		return nil
	}
	out := o.std.out
	if front.json {
		out = o.std.err // standard output is for the events
	}
	err := sup.Exec(ctx, info.Name, command, session.Streams{In: o.std.in, Out: out, Err: o.std.err})
	if exit, ok := errors.AsType[*session.ExitError](err); ok {
		return exitError(max(exit.Status, 1))
	}
	select {
	case <-ctx.Done():
		return nil // ctrl-C ended it, as asked
	default:
		return err
	}
}

// readPrompt reads the prompt from standard input where the flag says so.
func (o *options) readPrompt(f *upFlags) error {
	if f.prompt != "-" {
		return nil
	}
	var err error
	f.prompt, err = readPrompt(o.std.in)
	return err
}

// folderArg is the folder that the arguments name, or the one that we are in, by its whole name for what is said about it.
func folderArg(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	if dir, err := os.Getwd(); err == nil {
		return dir
	}
	return "."
}

// promptFrom sends the prompt that `up` was given, if any, and with --one-shot follows its turn to the end.
func (f *front) promptFrom(ctx context.Context, sup *session.Supervisor, name string, flags upFlags) error {
	switch {
	case flags.prompt == "":
		return nil
	case flags.once:
		return f.oneShot(ctx, sup, name, flags.prompt, flags.talk.model)
	}
	if err := f.catchUp(ctx, sup, name, 1); err != nil {
		return err
	}
	_, err := f.send(ctx, sup, name, conversation.Prompt{Text: flags.prompt, Model: flags.talk.model})
	return err
}

const leaveTimeout = 30 * time.Second

// leave removes the session or says how to come back. ctx may have ended: that is ctrl-C.
func (o *options) leave(ctx context.Context, sup *session.Supervisor, info session.Info, f upFlags, front *front) error {
	front.quiet()
	select {
	case <-front.gone:
		return nil // it was told
	default:
	}
	if now, err := sup.Info(info.Name); err == nil && now.State == session.Stopped && !f.remove {
		front.line("detached; %s is stopped (resume: sketch-ide up, remove: sketch-ide rm)", info.Name)
		return nil
	}
	if !f.remove {
		front.line("detached; %s goes on without its forwards (come back: sketch-ide up, remove: sketch-ide rm)", info.Name)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	if err := sup.Remove(ctx, info.Name); err != nil {
		return err
	}
	front.line("%s removed", info.Name)
	return nil
}

// eventLine says what has become of a port, in one line for a terminal.
func eventLine(p jsonrpc.Port) string {
	switch p.Status {
	case jsonrpc.PortForwarded:
		line := fmt.Sprintf("%s  %s", jsonrpc.ToastText([]jsonrpc.Port{p}), p.URL)
		if p.Generation == 0 {
			line += " (nothing listens on it yet)"
		}
		return line
	case jsonrpc.PortListed:
		return fmt.Sprintf("Port %d%s is open inside, not forwarded%s", p.Number, process(p), because(p))
	case jsonrpc.PortStopped:
		return fmt.Sprintf("Port %d%s is no longer forwarded, as asked", p.Number, process(p))
	case jsonrpc.PortFailed:
		return fmt.Sprintf("Port %d%s could not be forwarded%s", p.Number, process(p), because(p))
	case jsonrpc.PortClosed:
	}
	return fmt.Sprintf("Port %d%s closed", p.Number, process(p))
}

func process(p jsonrpc.Port) string {
	name := cmp.Or(p.Label, p.Process)
	if name == "" {
		return ""
	}
	return " (" + clean(name) + ")"
}

func because(p jsonrpc.Port) string {
	if p.Reason == "" {
		return ""
	}
	return ": " + strings.TrimSuffix(p.Reason, ".")
}
