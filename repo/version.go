package repo

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// The oldest git that the commands of this package are known to work with, on the host and inside.
const minMajor, minMinor = 2, 20

var versionPattern = regexp.MustCompile(`^git version (\d{1,4})\.(\d{1,4})`)

// checkVersion returns ErrNoGit or ErrGitTooOld, with what was found, when the host's git will not do.
func (r *Repo) checkVersion(ctx context.Context, dir string) error {
	out, err := git(ctx, dir, "version")
	if ctx.Err() != nil {
		return err
	}
	if errors.Is(err, exec.ErrNotFound) {
		return ErrNoGit
	}
	if err != nil { // the git of macOS without its command line tools is such a program
		return fmt.Errorf("%w: %w", ErrNoGit, err)
	}
	major, minor, ok := parseVersion(out)
	if !ok {
		return fmt.Errorf("%w: it calls itself %.60q", ErrNoGit, out)
	}
	if major < minMajor || major == minMajor && minor < minMinor {
		return fmt.Errorf("%w: it is %d.%d", ErrGitTooOld, major, minor)
	}
	r.foresees = major > 2 || major == 2 && minor >= 38
	return nil
}

// parseVersion reads the first two numbers of `git version`'s answer ("git version 2.39.5 (Apple Git-154)").
func parseVersion(out string) (major, minor int, ok bool) {
	m := versionPattern.FindStringSubmatch(out)
	if m == nil {
		return 0, 0, false
	}
	major, err1 := strconv.Atoi(m[1])
	minor, err2 := strconv.Atoi(m[2])
	return major, minor, err1 == nil && err2 == nil
}
