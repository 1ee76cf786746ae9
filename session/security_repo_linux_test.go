package session_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a session does to the host's repository is refs below refs/heads/sketch/ and refs/sketch/, and the objects of these.
func TestSecurityRepositoryIsLeftAlone(t *testing.T) {
	t.Parallel()
	w, dir := open(t, newStore(t)), newRepo(t)
	runGit(t, "-C", dir, "branch", "other")
	before := fingerprint(t, dir)
	info := w.start(dir)
	tip := w.commitInside(info.Name, "made-inside.txt", "hello")
	w.awaitBranch(info.Name, "the commit", at(tip))
	w.output(info.Name, `git config core.hooksPath /tmp; printf '#!/bin/sh\ntouch /tmp/ran' >.git/hooks/post-commit; chmod +x .git/hooks/post-commit
git branch -f other; git tag evil; git update-ref refs/heads/main HEAD; true`)
	tip = w.commitInside(info.Name, "again.txt", "hello")
	w.awaitBranch(info.Name, "the second commit", at(tip))
	after := fingerprint(t, dir)
	for path, sum := range after {
		if before[path] != sum && !ours.MatchString(path) {
			t.Errorf("%s was written", path)
		}
	}
	for path := range before {
		if after[path] == "" {
			t.Errorf("%s is gone", path)
		}
	}
	for ref := range strings.Lines(runGit(t, "-C", dir, "for-each-ref", "--format=%(refname)") + "\n") {
		if ref = strings.TrimSpace(ref); !slices.Contains([]string{"refs/heads/main", "refs/heads/other"}, ref) && !strings.HasPrefix(ref, "refs/heads/sketch/") &&
			!strings.HasPrefix(ref, "refs/sketch/") {
			t.Errorf("%s was made", ref)
		}
	}
}

// ours are the files of refs and objects that a session may write.
var ours = regexp.MustCompile(`^\.git/(objects/|(logs/)?refs/heads/sketch/|(logs/)?refs/sketch/)`)

// fingerprint are the sums of all files.
func fingerprint(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a lock of git's
		}
		sum := sha256.Sum256(data)
		name, _ := filepath.Rel(dir, path)
		sums[name] = hex.EncodeToString(sum[:]) + d.Type().String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}
