package repo

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
)

// diskUse is what the files below dir have.
func diskUse(t *testing.T, dir string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			sum += sizeOf(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// A container that names ever new commits, each within the limit of one pull, is stopped, and what it has sent till then is counted as what it takes.
func TestSecurityPullsTogetherAreBounded(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	w.pull.Allowance = &Allowance{Left: 2 << 20}
	objects := filepath.Join(w.dir, ".git", "objects")
	before := diskUse(t, objects)
	var err error
	for i := 0; err == nil && i < 10; i++ {
		random := make([]byte, 256<<10)
		_, _ = rand.Read(random)
		w.commit("a.txt", hex.EncodeToString(random))
		_, err = w.out()
	}
	if !errors.Is(err, ErrAllowance) {
		t.Errorf("%v, want %v", err, ErrAllowance)
	}
	if took := diskUse(t, objects) - before; took > 3<<20 || took < 1<<20 || took < w.pull.Allowance.Taken {
		t.Errorf("%d bytes of the disk were taken, %d counted", took, w.pull.Allowance.Taken)
	}
	// What needs nothing new is not held up.
	w.git(w.workspace, "reset", "-q", "--hard", "HEAD~2")
	w.mustOut("sketch/fix")
}

// In a pack, files that differ by a byte take the room of one. Each by itself they would be as large as they are.
func TestSecurityPackIsNotBlownUp(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	w.pull.Allowance = &Allowance{Left: 1 << 30}
	random := make([]byte, 2<<20)
	_, _ = rand.Read(random)
	text := hex.EncodeToString(random)
	for i := range 20 {
		writeFile(t, filepath.Join(w.workspace, fmt.Sprint("f", i)), fmt.Sprint(i, text), 0o644)
	}
	w.git(w.workspace, "add", ".")
	w.git(w.workspace, "commit", "-q", "-m", "alike")
	w.git(w.workspace, "repack", "-q", "-a", "-d", "-f", "--window=30")
	objects := filepath.Join(w.dir, ".git", "objects")
	before := diskUse(t, objects)
	w.mustOut("sketch/fix")
	if took := diskUse(t, objects) - before; took > 8<<20 || w.pull.Allowance.Taken > took {
		t.Errorf("%d bytes of the disk were taken, %d counted", took, w.pull.Allowance.Taken)
	}
}
