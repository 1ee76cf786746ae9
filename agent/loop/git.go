package loop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/sketch-ide/sketch-ide/agent/conversation"
)

const (
	gitWithin = 5 * time.Second
	maxGitOut = 256 << 10
)

// git runs git in the workspace, for what is bounded and quick.
func (l *Loop) git(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"--no-optional-locks"}, args...)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = l.cfg.Dir, l.cfg.Env, time.Second
	var out bytes.Buffer
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("run git: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("run git: %w", err)
	}
	_, copyErr := io.Copy(&out, io.LimitReader(pipe, maxGitOut))
	cancelled := out.Len() == maxGitOut
	if cancelled {
		cancel() // what is longer is not read
	}
	if err := cmd.Wait(); err != nil && !cancelled {
		return "", fmt.Errorf("run git %s: %w", args[0], err)
	}
	return out.String(), copyErr
}

// uncommitted returns the names of files that are not committed, the first of them.
func (l *Loop) uncommitted(ctx context.Context) []string {
	out, err := l.git(ctx, "status", "--porcelain=v1", "-z", "--untracked-files=all")
	if err != nil {
		l.cfg.Log.Debug("look for uncommitted files", "err", err)
		return nil
	}
	var names []string
	fields := strings.Split(out, "\x00")
	for i := 0; i < len(fields) && len(names) < conversation.MaxUncommitted; i++ {
		if len(fields[i]) < 4 {
			continue
		}
		names = append(names, strings.ToValidUTF8(fields[i][3:], "\uFFFD"))
		if status := fields[i][0]; status == 'R' || status == 'C' {
			i++ // the old name follows
		}
	}
	return names
}
