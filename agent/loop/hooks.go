package loop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// CoAuthor is the trailer of the agent's commits. Their author is the user.
const CoAuthor = "Co-authored-by: Sketch <agent@sketch-ide>"

// hookNames are git's hooks on the side that commits. The ones that would run with each command are left to themselves.
var hookNames = []string{
	"applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit",
	"pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-auto-gc", "post-rewrite", "sendemail-validate",
}

// hookScript runs the repository's own hook and then adds the trailer. The repository's hooks are where git looks for them without us.
const hookScript = `#!/bin/sh
name=${0##*/}
own=$(unset GIT_CONFIG_COUNT; git rev-parse --git-path hooks 2>/dev/null)
if [ -n "$own" ] && [ -x "$own/$name" ]; then
	"$own/$name" "$@" || exit
fi
if [ "$name" = prepare-commit-msg ] && [ -e "${0%%/*}/coauthor" ]; then
	git interpret-trailers --in-place --if-exists addIfDifferent --trailer '%s' "$1"
fi
`

// CommitHooks are hooks in a directory of ours that give the agent's commits their trailer. They are in force for processes that have [CommitHooks.Env] in
// their environment, which are the agent's commands, and not for anybody else's shells.
type CommitHooks struct{ dir string }

// InstallCommitHooks writes the hooks into a directory.
func InstallCommitHooks(dir string) (CommitHooks, error) {
	h := CommitHooks{dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return h, fmt.Errorf("install commit hooks: %w", err)
	}
	for _, name := range hookNames {
		if err := os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, hookScript, CoAuthor), 0o755); err != nil {
			return h, fmt.Errorf("install commit hooks: %w", err)
		}
	}
	return h, nil
}

// SetCoAuthor says whether commits get the trailer.
func (h CommitHooks) SetCoAuthor(on bool) error {
	mark := filepath.Join(h.dir, "coauthor")
	if on {
		return os.WriteFile(mark, nil, 0o644)
	}
	if err := os.Remove(mark); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Env returns an environment in which git uses the hooks: git-config(1), GIT_CONFIG_COUNT.
func (h CommitHooks) Env(env []string) []string {
	const count = "GIT_CONFIG_COUNT="
	n := 0
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, count); ok {
			n, _ = strconv.Atoi(value) // git refuses what is no number
		}
	}
	env = slices.DeleteFunc(slices.Clone(env), func(entry string) bool { return strings.HasPrefix(entry, count) })
	return append(env, fmt.Sprintf("%s%d", count, n+1), fmt.Sprintf("GIT_CONFIG_KEY_%d=core.hooksPath", n), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, h.dir))
}
