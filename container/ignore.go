package container

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// readIgnore reads the ignore file of src.
func readIgnore(src source) (*patternmatcher.PatternMatcher, error) {
	for _, name := range src.ignore {
		name = path.Join(src.dir, name)
		data, err := readWithin(src.root, name, maxDockerfile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, unreadable(src.name, name, err)
		}
		m, err := parseIgnore(data)
		if err != nil {
			return nil, &BuildError{Dockerfile: src.name, Reason: "parse " + name + ": " + printable(err.Error()), Err: err, Hint: "Mend the patterns of " + name + "."}
		}
		return m, nil
	}
	return patternmatcher.New(nil)
}

func parseIgnore(data []byte) (*patternmatcher.PatternMatcher, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return patternmatcher.New(patterns)
}

// isGit tells whether a path's element is git's own folder, or the file that takes its place in worktrees and
// submodules. It never goes to the builder, whatever an ignore file says: it holds every secret that was ever committed
// and the credentials of remotes, and each git status would rebuild the image. Case does not count on some systems.
func isGit(element string) bool { return strings.EqualFold(element, ".git") }
