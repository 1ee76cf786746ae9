package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	maxOutput = 64 << 20        // of one git command that answers a question; a million refs are about as much
	maxErrors = 8 << 10         // of git's standard error that is kept: its end
	endDelay  = time.Second     // for a command that is to end, to put away what it has begun
	killDelay = 2 * time.Second // for the pipes of a command that is to end to close
)

// quiet are settings that keep a user's hooks, helpers and pagers from running, whatever the configuration says.
var quiet = []string{
	"-c", "core.hooksPath=" + os.DevNull,
	"-c", "core.fsmonitor=false",
	"-c", "core.pager=cat",
	"-c", "gc.auto=0",
	"-c", "maintenance.auto=false",
}

// kept are the GIT_ variables that say where git and its configuration are. All others are dropped: GIT_DIR, in an editor that
// was started from a hook, would send a command to another repository.
var kept = regexp.MustCompile(`^GIT_(EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))=`)

// environment is this process's, made such that git is unlocalised and can neither ask, nor write, nor fetch what is missing.
func environment(extra ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") && !kept.MatchString(v) })
	env = append(env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1",
		"GIT_ALLOW_PROTOCOL=none") // git before 2.45 knows no GIT_NO_LAZY_FETCH; a hostile repository could have it run a command of its own
	return append(env, extra...)
}

// command prepares git in a process group of its own, all of which is ended when ctx ends, and killed if it does not: a git that is killed at once leaves
// the locks that it has, and no git can change those refs any more.
func command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		group := -cmd.Process.Pid
		time.AfterFunc(endDelay, func() { _ = syscall.Kill(group, syscall.SIGKILL) }) // an error means that all have ended
		return syscall.Kill(group, syscall.SIGTERM)
	}
	cmd.WaitDelay = killDelay
	return cmd
}

// git answers one question about the repository at dir. It returns the standard output without its last newline.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := command(ctx, environment(), append(append([]string{"-C", dir}, quiet...), args...)...)
	out, errs := &head{limit: maxOutput}, &tail{limit: maxErrors}
	cmd.Stdout, cmd.Stderr = out, errs
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("run git %s: %w", args[0], context.Cause(ctx))
	case out.over:
		return "", fmt.Errorf("run git %s: its answer is longer than %d MiB", args[0], maxOutput>>20)
	case err != nil:
		return "", &gitError{command: args[0], stderr: strings.TrimSpace(errs.String()), err: err}
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// gitError is a git command that ended badly.
type gitError struct {
	command string
	stderr  string // its end
	err     error
}

func (e *gitError) Error() string {
	if e.stderr == "" {
		return fmt.Sprintf("run git %s: %v", e.command, e.err)
	}
	return fmt.Sprintf("run git %s: %s", e.command, e.stderr)
}

func (e *gitError) Unwrap() error { return e.err }

// GitFailed reports whether err is a git command on this machine that ended badly; its text has git's own words.
func GitFailed(err error) bool {
	_, ok := errors.AsType[*gitError](err)
	return ok
}

// declined reports whether err is git having run and ended with a status, which many questions answer "no" by.
func declined(err error) bool {
	_, ok := errors.AsType[*exec.ExitError](err)
	return ok
}

// said reports whether err is a git command that wrote one of texts to its standard error. git's exit status is 128 for
// everything, and its words in the C locale are what is left to tell one refusal from another.
func said(err error, texts ...string) bool {
	e, ok := errors.AsType[*gitError](err)
	if !ok {
		return false
	}
	for _, text := range texts {
		if strings.Contains(e.stderr, text) {
			return true
		}
	}
	return false
}

// head keeps the first limit bytes written to it, and refuses the rest, which ends the command that writes. The buffer is not embedded: its ReadFrom
// would know no limit.
type head struct {
	buf   bytes.Buffer
	limit int
	over  bool
}

func (h *head) Write(p []byte) (int, error) {
	if h.buf.Len()+len(p) > h.limit {
		h.over = true
		return 0, errors.New("too much output")
	}
	return h.buf.Write(p)
}

func (h *head) String() string { return h.buf.String() }
func (h *head) Bytes() []byte  { return h.buf.Bytes() }
func (h *head) Len() int       { return h.buf.Len() }

// tail keeps the last limit bytes written to it.
type tail struct {
	buf   []byte
	limit int
}

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - t.limit; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.buf) }
