package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/shell"
)

type bashInput struct {
	Command    string `json:"command" jsonschema:"Shell command or script, at most 100 KiB."`
	Slow       bool   `json:"slow,omitempty" jsonschema:"It may take long: builds, installations, whole test suites."`
	Background bool   `json:"background,omitempty" jsonschema:"Return at once with the number of a job: servers, watchers. The tool jobs reads and ends it."`
}

func (s *Set) bash() Tool {
	l := s.cfg.Limits
	return newTool("bash", fmt.Sprintf("Runs a shell command in the workspace and returns its output, standard error included, and its status if it is not 0. "+
		"The working directory stays from one command to the next; variables do not. Standard input is empty and there is no terminal. "+
		"A command is ended after %s, after %s with slow, after %s with background. Start servers with background. "+
		"Of long output the middle is left out, and a file named that has all of it.", span(l.Fast), span(l.Slow), span(l.Background)),
		func(in bashInput) string { return in.Command }, s.runBash)
}

func (s *Set) runBash(ctx context.Context, call Call, in bashInput) (Result, error) {
	if strings.TrimSpace(in.Command) == "" {
		return failed("The command is empty."), nil
	}
	if in.Background {
		n, err := s.shell.Start(in.Command, s.cfg.Limits.Background)
		if err != nil {
			return failed(notStarted(err)), nil
		}
		return Result{Text: fmt.Sprintf("Runs in the background as job %d.", n)}, nil
	}
	limit := s.cfg.Limits.Fast
	if in.Slow {
		limit = s.cfg.Limits.Slow
	}
	o, err := s.shell.Run(ctx, in.Command, limit, call.Output)
	if ctx.Err() != nil {
		return Result{Text: o.Output, Failed: true}, ctx.Err()
	}
	if err != nil {
		return failed(notStarted(err)), nil
	}
	return s.bashResult(o, in.Slow, limit), nil
}

// bashResult is the output, and below it what there is to say about it.
func (s *Set) bashResult(o shell.Outcome, slow bool, limit time.Duration) Result {
	var notes []string
	switch {
	case o.TimedOut && slow:
		notes = append(notes, fmt.Sprintf("ended after %s, the time for slow commands; use background for what takes longer", span(limit)))
	case o.TimedOut:
		notes = append(notes, fmt.Sprintf("ended after %s; use slow for what takes longer, background for what does not end by itself", span(limit)))
	case o.Signal != "":
		notes = append(notes, "ended by a signal: "+o.Signal)
	case o.Exit != 0:
		notes = append(notes, fmt.Sprintf("exit status %d", o.Exit))
	}
	if o.Whole != "" {
		notes = append(notes, "all of the output is in "+o.Whole)
	}
	if o.DirLost {
		notes = append(notes, "the working directory was gone; this ran in "+s.cfg.Dir)
	}
	if o.Job != 0 {
		notes = append(notes, fmt.Sprintf("something that it started still runs, as job %d", o.Job))
	}
	text := o.Output
	if len(notes) > 0 {
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += "[" + strings.Join(notes, "; ") + "]"
	}
	if text == "" {
		text = "[no output]"
	}
	return Result{Text: text, Failed: o.Exit != 0 || o.TimedOut}
}

// notStarted says why a command did not start.
func notStarted(err error) string {
	switch {
	case errors.Is(err, shell.ErrTooLong):
		return fmt.Sprintf("Nothing was run: the command has more than %d KiB. Write a script with patch and run that.", shell.MaxCommand>>10)
	case errors.Is(err, shell.ErrTooMany):
		return "Nothing was run: too many commands and jobs are running. End some with the tool jobs."
	case isResourceLimit(err):
		return "Nothing was run: the container has no room for another process (" + err.Error() + "). End background jobs with the tool jobs."
	}
	return "Nothing was run: " + err.Error() + "."
}

// span says a duration without trailing zeros.
func span(d time.Duration) string {
	text := d.Round(time.Millisecond).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
