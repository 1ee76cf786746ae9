package container

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// readIgnore reads the ignore file of src. The repository's own .git is left out unless the file says "!.git": every
// commit, and every git status, changes it, and would rebuild the image.
func readIgnore(src source) (*patternmatcher.PatternMatcher, error) {
	patterns := []string{".git"}
	for _, name := range src.ignore {
		data, err := readBounded(filepath.Join(src.dir, name), maxDockerfile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		m, err := parseIgnore(data, patterns)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		return m, nil
	}
	return patternmatcher.New(patterns)
}

func parseIgnore(data []byte, defaults []string) (*patternmatcher.PatternMatcher, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return patternmatcher.New(slices.Concat(defaults, patterns))
}
