package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/shell"
)

type jobAction string

type jobsInput struct {
	Action jobAction `json:"action" jsonschema:"What to do."`
	Job    int       `json:"job,omitempty" jsonschema:"Number of the job to read or to kill."`
	Wait   int       `json:"wait,omitempty" jsonschema:"Seconds to wait for the job to end before it is read, at most 600."`
}

const maxWait = 600 * time.Second

func (s *Set) jobs() Tool {
	return newTool("jobs", "Background jobs: list them, read the output of one (its head and its end where it is long), or kill one with all its processes.",
		func(in jobsInput) string {
			if in.Job == 0 {
				return string(in.Action)
			}
			return fmt.Sprintf("%s job %d", in.Action, in.Job)
		}, s.runJobs)
}

func (s *Set) runJobs(ctx context.Context, _ Call, in jobsInput) (Result, error) {
	switch in.Action {
	case "list":
		return Result{Text: s.listJobs()}, nil
	case "read":
		return s.readJob(ctx, in)
	}
	status, err := s.shell.Kill(in.Job)
	if err != nil {
		return s.noJob(in.Job, err), nil
	}
	return Result{Text: fmt.Sprintf("Job %d: %s.", in.Job, howEnded(status)), Failed: status.Running}, nil
}

func (s *Set) readJob(ctx context.Context, in jobsInput) (Result, error) {
	wait := min(max(time.Duration(in.Wait)*time.Second, 0), maxWait)
	output, whole, status, err := s.shell.Read(ctx, in.Job, wait)
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	if err != nil {
		return s.noJob(in.Job, err), nil
	}
	if output != "" && !strings.HasSuffix(output, "\n") {
		output += "\n"
	}
	text := fmt.Sprintf("%s[job %d: %s]", output, in.Job, howEnded(status))
	if whole != "" {
		text += "\n[all of the output is in " + whole + "]"
	}
	return Result{Text: text}, nil
}

func (s *Set) noJob(n int, err error) Result {
	return failed(fmt.Sprintf("Job %d: %v.\n%s", n, err, s.listJobs()))
}

func (s *Set) listJobs() string {
	jobs := s.shell.Jobs()
	if len(jobs) == 0 {
		return "There are no jobs."
	}
	var b strings.Builder
	for _, job := range jobs {
		fmt.Fprintf(&b, "job %d: %s; %s of output; %s\n", job.Number, howEnded(job), shell.Size(job.Bytes), oneLine(job.Command, "?"))
	}
	return b.String()
}

func howEnded(job shell.Status) string {
	var text string
	switch {
	case job.Running && job.Left:
		text = "still runs, left by a command that has ended"
	case job.Running:
		text = "runs for " + span(time.Since(job.Begun).Round(time.Second))
	case job.Signal != "" && !job.Left:
		text = "ended by a signal: " + job.Signal
	case job.Left:
		text = "has ended"
	default:
		text = fmt.Sprintf("has ended with exit status %d", job.Exit)
	}
	if job.Note != "" {
		text += " (" + job.Note + ")"
	}
	return text
}

// isResourceLimit reports whether a process could not be made for want of room.
func isResourceLimit(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
