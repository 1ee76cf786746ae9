package repo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// quarantine is a short-lived bare repository of ours beside the user's: it reads the user's objects, and what comes from the container stays in it until
// all of it has been checked. No configuration of the user's, and no hook, has a say in it.
type quarantine struct {
	r   *Repo
	dir string
}

func (r *Repo) newQuarantine() (_ *quarantine, err error) {
	dir, err := os.MkdirTemp(r.Scratch, "sketch-ide-objects-*")
	if err != nil {
		return nil, err
	}
	q := &quarantine{r: r, dir: dir}
	defer func() {
		if err != nil {
			q.remove()
		}
	}()
	for _, name := range []string{"objects/info", "objects/pack", "refs"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	files := map[string]string{
		"HEAD":                    "ref: refs/heads/none\n",
		"config":                  r.viewConfig(),
		"objects/info/alternates": alternate(filepath.Join(r.CommonDir, "objects")) + "\n",
	}
	if r.shallow {
		shallow, err := os.ReadFile(filepath.Join(r.CommonDir, "shallow"))
		if err != nil {
			return nil, err
		}
		files["shallow"] = string(shallow)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// alternate writes a path for objects/info/alternates, where one with a newline in it has to be quoted as in C, or for git's environment, where a colon has to be.
func alternate(path string) string {
	if strings.ContainsAny(path, "\n\":") {
		return strconv.Quote(path)
	}
	return path
}

func (q *quarantine) remove() { _ = os.RemoveAll(q.dir) } // a folder of ours; prune finds what a failure leaves

// maxAlloc bounds a single allocation of git that works on what the container sent. Larger files are streamed.
const maxAlloc = "1g"

// call prepares git in the quarantine.
func (q *quarantine) call(args ...string) gitCall {
	return gitCall{
		args: append([]string{"--git-dir=" + q.dir, "-c", "core.bigFileThreshold=256m"}, args...),
		env: environment("GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=0", "GIT_ALLOC_LIMIT="+maxAlloc,
			"HOME="+os.DevNull, "XDG_CONFIG_HOME="+os.DevNull, "GIT_CEILING_DIRECTORIES=/"),
	}
}

func (q *quarantine) ask(ctx context.Context, args ...string) (string, error) {
	return q.call(args...).answer(ctx, maxOutput)
}

// index returns the index of the one pack that was received.
func (q *quarantine) index() (pack string, x packIndex, err error) {
	found, err := filepath.Glob(filepath.Join(globbed(q.dir), "objects", "pack", "pack-*.idx"))
	if err != nil {
		return "", packIndex{}, err
	}
	if len(found) != 1 {
		return "", packIndex{}, fmt.Errorf("%w: %d packs were received", ErrBadObjects, len(found))
	}
	x, err = readPackIndex(found[0], len(q.r.Head)/2)
	return strings.TrimSuffix(found[0], ".idx") + ".pack", x, err
}

// globbed makes a pattern that matches path itself.
func globbed(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
