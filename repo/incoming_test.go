package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFullDiskIsNamed(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&gitError{command: "index-pack", stderr: "fatal: write error: No space left on device", err: errors.New("exit status 128")},
		&gitError{command: "unpack-objects", stderr: "fatal: unable to write loose object file: Disk quota exceeded", err: errors.New("exit status 128")},
		&fs.PathError{Op: "mkdir", Path: "x", Err: syscall.ENOSPC},
	} {
		got := full(fmt.Errorf("bring: %w", err))
		if !errors.Is(got, ErrDiskFull) || !errors.Is(got, err) || full(got) != got { //nolint:errorlint // the very same one
			t.Errorf("%v is %v", err, got)
		}
	}
	other := &gitError{command: "index-pack", stderr: "fatal: bad object", err: errors.New("exit status 128")}
	if got := full(other); errors.Is(got, ErrDiskFull) || full(nil) != nil {
		t.Errorf("%v is %v", other, got)
	}
	w := newWork(t)
	err := w.host.Checkout(t.Context(), lines{"error: unable to write file a: No space left on device", "fatal: could not"}, "/w", "fix", func(string) {})
	if !errors.Is(err, ErrDiskFull) {
		t.Errorf("inside: %v", err)
	}
}

// lines is a container in which every script says this and fails.
type lines []string

func (l lines) Run(_ context.Context, _ string, _ io.Reader, stderr func(string)) error {
	for _, line := range l {
		stderr(line)
	}
	return errors.New("exit status 1")
}

// What is cut off while it is written leaves nothing among the user's objects, where it would be in the way of what makes room.
func TestObjectsCutOffLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWork(t)
	var pack strings.Builder
	call := gitCall{dir: w.dir, args: []string{"pack-objects", "--all", "--stdout", "-q"}, in: strings.NewReader(""), out: &pack}
	if err := call.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := fingerprint(t, w.dir)
	for _, loose := range []bool{true, false} {
		if err := w.host.addObjects(t.Context(), strings.NewReader(pack.String()[:pack.Len()-30]), loose); err == nil {
			t.Error("a pack without its end was taken")
		}
	}
	for path := range fingerprint(t, w.dir) {
		if _, known := before[path]; !known {
			t.Errorf("left: %s", path)
		}
	}
	if left, err := filepath.Glob(filepath.Join(w.dir, ".git", "objects", "tmp_*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	for _, loose := range []bool{true, false} {
		other := newHost(t, fmt.Sprint("other-", loose))
		r := mustOpen(t, other)
		if err := r.addObjects(t.Context(), strings.NewReader(pack.String()), loose); err != nil {
			t.Fatal(err)
		}
		if err := r.addObjects(t.Context(), strings.NewReader(pack.String()), loose); err != nil {
			t.Errorf("what is there already: %v", err)
		}
		hostGit(t, other, "cat-file", "-e", w.host.Head+"^{tree}")
		if entries, err := os.ReadDir(filepath.Join(other, ".git", "objects", "pack")); err != nil || loose == (len(entries) > 0) {
			t.Errorf("loose %t: packs %v, %v", loose, entries, err)
		}
	}
}
