package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sketch-ide/sketch-ide/agent"
	"github.com/sketch-ide/sketch-ide/devcontainer"
	"github.com/sketch-ide/sketch-ide/repo"
)

// hook is one of devcontainer.json's lifecycle keys. Its commands run inside, at the same time.
type hook struct {
	name     string
	commands []devcontainer.Command
}

// hooks are what is run inside at which time. A start waits for those of the creation, which may be what makes the folder fit to work in; the others go on
// beside it, since a development server is often one of them.
type hooks struct {
	create        []hook // onCreateCommand, updateContentCommand, postCreateCommand: once, in this order
	start, attach hook   // at each start of the container; at each attaching of a process of ours
}

func hooksOf(c devcontainer.Config) hooks {
	h := hooks{start: hook{"postStartCommand", c.PostStartCommand}, attach: hook{"postAttachCommand", c.PostAttachCommand}}
	for _, one := range []hook{
		{"onCreateCommand", c.OnCreateCommand}, {"updateContentCommand", c.UpdateContentCommand}, {"postCreateCommand", c.PostCreateCommand},
	} {
		if len(one.commands) > 0 {
			h.create = append(h.create, one)
		}
	}
	return h
}

// HookError says that a lifecycle command of devcontainer.json failed. The session is usable; later commands are not run.
type HookError struct {
	Hook  string // postCreateCommand, with the command's name where it has one
	Err   error
	Lines []string // the end of what it printed
}

func (e *HookError) Error() string { return fmt.Sprintf("%s of devcontainer.json: %v", e.Hook, e.Err) }
func (e *HookError) Unwrap() error { return e.Err }

const hookLines = 15

// runCreate runs the commands of the creation. The error is ctx's; that a command failed is told.
func (s *Session) runCreate(ctx context.Context, list []hook, report func(Progress)) error {
	for _, h := range list {
		err := s.runHook(ctx, h, `exec "$@" 2>&1`, report)
		if ctx.Err() != nil {
			return joinContext(ctx)
		}
		if err != nil {
			s.problem(err)
			return nil
		}
	}
	return nil
}

// runBeside runs the commands of a start and of an attaching, one after the other, while the session is in use.
func (s *Session) runBeside(h hooks) {
	if len(h.start.commands)+len(h.attach.commands) == 0 {
		return
	}
	s.background(func(ctx context.Context) {
		silent := func(Progress) {}
		err := s.runHook(ctx, h.start, startScript, silent)
		if err == nil {
			err = s.runHook(ctx, h.attach, attachScript, silent)
		}
		if err != nil && ctx.Err() == nil {
			s.problem(err)
		}
	})
}

// startScript runs a command once in the life of the container's first process, whoever asks for it, and lets it live on when its asker goes: what the
// asker's connection runs is hung up with it, so that it is a child of that which is deaf to hangups.
const startScript = `begun() { shift 21; echo "$1"; } # starttime, proc(5)
read -r stat </proc/1/stat
mkdir -p "$hooks"
mkdir "$hooks/$hook.$(begun $stat)" 2>/dev/null || exit 0
trap '' HUP
"$@" >"$hooks/$hook.log" 2>&1 </dev/null &
trap - HUP
wait $!`

// attachScript runs a command unless it still runs for an earlier asker.
const attachScript = `mkdir -p "$hooks"
if [ -e "$hooks/$hook.pid" ] && kill -0 "$(cat "$hooks/$hook.pid")" 2>/dev/null; then exit 0; fi
echo $$ >"$hooks/$hook.pid"
exec "$@" >"$hooks/$hook.log" 2>&1 </dev/null`

// hooksDir holds the output of commands that nobody waits for, and what is known of their runs.
const hooksDir = agent.RunDir + "/hooks"

// runHook runs a hook's commands at the same time and returns the first failure.
func (s *Session) runHook(ctx context.Context, h hook, script string, report func(Progress)) error {
	var group sync.WaitGroup
	errs := make([]error, len(h.commands))
	var mu sync.Mutex // guards calls of report
	for i, command := range h.commands {
		name := h.name
		if command.Name != "" {
			name += "." + command.Name
		}
		// Ends with the command or with ctx; waited for below.
		group.Go(func() {
			errs[i] = s.runCommand(ctx, name, fmt.Sprintf("%s.%d", h.name, i), script, command, func(line string) {
				mu.Lock()
				defer mu.Unlock()
				report(Progress{name + ": " + line, -1})
			})
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// runCommand runs one command by a script that gets it as its arguments.
func (s *Session) runCommand(ctx context.Context, name, file, script string, c devcontainer.Command, report func(string)) error {
	argv := c.Args
	if c.Shell != "" {
		argv = []string{"sh", "-c", c.Shell}
	}
	report(plainLine(cmp.Or(c.Shell, strings.Join(argv, " "))))
	var last []string
	lines := repo.Lines(func(line string) {
		line = plainLine(line)
		last = append(last, line)
		last = last[max(0, len(last)-hookLines):]
		report(line)
	})
	script = fmt.Sprintf("hooks=%s hook=%s\n%s", hooksDir, file, script)
	err := s.Exec(ctx, slices.Concat([]string{"sh", "-c", script, "sh"}, argv), Streams{Out: lines})
	lines.Flush()
	if err == nil {
		return nil
	}
	if len(last) == 0 && ctx.Err() == nil {
		last = s.hookLog(ctx, file)
	}
	return &HookError{Hook: name, Err: err, Lines: last}
}

// hookLog is the end of what a command wrote that nobody listened to.
func (s *Session) hookLog(ctx context.Context, file string) []string {
	var last []string
	lines := repo.Lines(func(line string) {
		if len(last) < hookLines {
			last = append(last, plainLine(line))
		}
	})
	if s.Exec(ctx, []string{"tail", "-n", fmt.Sprint(hookLines), hooksDir + "/" + file + ".log"}, Streams{Out: lines}) != nil {
		return nil // the failure itself is told
	}
	lines.Flush()
	return last
}

var escapes = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]`)

// plainLine makes what comes from inside fit to be shown on one line.
func plainLine(line string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, escapes.ReplaceAllString(line, ""))
}

// problem tells what is wrong and goes on.
func (s *Session) problem(err error) {
	if s.observer != nil {
		s.observer.Problem(s.rec.Name, err)
	}
}
