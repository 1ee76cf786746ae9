package repo

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// PackSharer is a [Runner] whose container sees a folder of the host's, read-only: then nothing of a large repository has to go through a
// connection.
type PackSharer interface {
	// SharedPacks returns where the folder is inside, and what [Repo.SharePacks] has put there, for which it waits. It tells report how far that is. It
	// is an error where there is none; the objects then come by another way.
	SharedPacks(ctx context.Context, report func(string)) (inside string, packs *SharedPacks, err error)
}

// SharedPacks is what a folder of shared packs holds.
type SharedPacks struct {
	refs  []string // as in copyPlan
	files []string // names in the folder pack
}

// Sharable reports whether the repository has so much in packs that [Repo.SharePacks] pays.
func (r *Repo) Sharable() bool {
	var sizes int64
	_, err := r.packs(&sizes)
	return err == nil && sizes >= r.copyFrom
}

// SharePacks fills dir, an empty folder that a container sees, with all objects that the container may see: packs in dir/pack. They are copies, so that nothing a
// container could do to their bytes, a hole in its kernel included, reaches the user's repository. A pack that is already in one
// of the folders near, which earlier calls have filled, is linked from there and takes no space.
//
// It tells report how many bytes of how many are there. Its error matches errors.ErrUnsupported where copying would not pay.
func (r *Repo) SharePacks(ctx context.Context, dir string, near []string, report func(done, total int64)) (*SharedPacks, error) {
	shared := &SharedPacks{}
	err := r.withPlan(ctx, func(plan *copyPlan) error {
		shared.refs = plan.refs
		return plan.share(ctx, dir, near, shared, report)
	})
	if errors.Is(err, errNoCopy) {
		err = errors.Join(errors.ErrUnsupported, err)
	}
	if err != nil {
		return nil, fmt.Errorf("share packs: %w", err)
	}
	return shared, nil
}

func (plan *copyPlan) share(ctx context.Context, dir string, near []string, shared *SharedPacks, report func(done, total int64)) error {
	files, total, err := plan.open()
	defer files.close()
	if err != nil {
		return err
	}
	packs := filepath.Join(dir, "pack")
	if err := errors.Join(os.MkdirAll(packs, 0o755), os.Chmod(packs, 0o755)); err != nil { // whatever the umask is
		return err
	}
	var done int64
	for i := 0; i < len(files); i += 2 { // a pack and its index
		pair := files[i : i+2]
		if !linkPair(pair, packs, near) {
			for _, f := range pair {
				if err := copyFile(ctx, f, filepath.Join(packs, filepath.Base(f.Name())), func(n int64) { report(done+n, total) }); err != nil {
					return err
				}
				done += f.size
			}
		} else {
			done += pair[0].size + pair[1].size
		}
		report(done, total)
		for _, f := range pair {
			shared.files = append(shared.files, filepath.Base(f.Name()))
		}
	}
	return nil
}

// linkPair links a pack and its index from a folder that has both. The index is the last that is made of a pair, so that one whose index is there is whole.
func linkPair(pair packFiles, packs string, near []string) bool {
next:
	for _, dir := range near {
		for _, f := range pair {
			name := filepath.Base(f.Name())
			from := filepath.Join(dir, "pack", name)
			if info, err := os.Lstat(from); err != nil || !info.Mode().IsRegular() || info.Size() != f.size {
				continue next
			}
		}
		for _, f := range pair {
			name := filepath.Base(f.Name())
			if os.Link(filepath.Join(dir, "pack", name), filepath.Join(packs, name)) != nil {
				continue next // what was linked is replaced by the copy
			}
		}
		return true
	}
	return false
}

// copySpan is how much is copied at once, by the kernel where it can (copy_file_range(2)), between looks at ctx.
const copySpan = 32 << 20

// copyFile makes a file that all may read, under its name once it is whole.
func copyFile(ctx context.Context, from packFile, path string, report func(done int64)) (err error) {
	to, err := os.CreateTemp(filepath.Dir(path), "tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, to.Close())
		if err == nil {
			err = os.Rename(to.Name(), path)
		}
		if err != nil {
			err = errors.Join(err, os.Remove(to.Name()))
		}
	}()
	for done := int64(0); done < from.size; {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		n, err := io.CopyN(to, from.File, min(copySpan, from.size-done))
		if err != nil {
			return cmp.Or(ignoreEOF(err), io.ErrUnexpectedEOF)
		}
		done += n
		report(done)
	}
	return to.Chmod(0o444)
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

//go:embed share.sh
var shareScript string

// useShared lets the repository inside look for objects in the shared folder too, and sets the refs to them.
func (r *Repo) useShared(ctx context.Context, run Runner, from PackSharer, workspace string, report func(string)) error {
	inside, shared, err := from.SharedPacks(ctx, report)
	if err != nil {
		return err
	}
	var last lastLines
	script := fmt.Sprintf("workspace=%s\nshared=%s\n%s", quote(workspace), quote(inside), shareScript)
	names := strings.NewReader(strings.Join(shared.files, "\n") + "\n")
	if err := run.Run(ctx, script, names, func(line string) { last.add(oneLine(line)) }); err != nil {
		return fmt.Errorf("use shared packs: %w%s", err, last.said())
	}
	return r.setRefs(ctx, run, workspace, shared.refs)
}
