package repo

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// fewObjects is up to how many objects of a pull become loose objects rather than a pack, as with git fetch: sessions commit often, and many small
// packs would slow the repository down. looseBytes bounds what they amount to: in a pack, a hundred large files that differ by a byte are hardly larger than one.
const (
	fewObjects = 100
	looseBytes = 64 << 20
)

// release moves what is in the quarantine into the user's repository, once it is known to be whole and the container's to give. It returns how many bytes that
// takes there.
func (q *quarantine) release(ctx context.Context, tip string, haves []string) (taken int64, err error) {
	if kind, err := q.ask(ctx, "cat-file", "-t", tip); err != nil || kind != "commit" {
		return 0, fmt.Errorf("%w: %.12s is not a commit that was sent", ErrBadObjects, tip)
	}
	pack, index, err := q.index()
	if err != nil {
		return 0, err
	}
	if err := q.check(ctx, tip, haves, index); err != nil {
		return 0, err
	}
	file, err := os.Open(pack)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	loose, err := q.fitLoose(ctx, index)
	if err != nil {
		return 0, err
	}
	if err := q.r.addObjects(ctx, file, loose); err != nil {
		return 0, err
	}
	if loose {
		return q.r.looseSize(index), nil
	}
	return sizeOf(pack) + sizeOf(strings.TrimSuffix(pack, ".pack")+".idx"), nil
}

// fitLoose reports whether the objects are few and small enough to be kept one by one.
func (q *quarantine) fitLoose(ctx context.Context, index packIndex) (bool, error) {
	if index.len() >= fewObjects {
		return false, nil
	}
	call := q.call("cat-file", "--batch-check=%(objectsize)")
	call.in = strings.NewReader(index.list())
	sizes, err := call.answer(ctx, 4<<10)
	if err != nil {
		return false, err
	}
	var sum int64
	for size := range strings.Lines(sizes) {
		n, err := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
		if err != nil {
			return false, fmt.Errorf("%w: size %.40q", ErrBadObjects, size)
		}
		if sum += n; sum > looseBytes {
			return false, nil
		}
	}
	return true, nil
}

// looseSize is what the objects take as files of their own.
func (r *Repo) looseSize(index packIndex) (sum int64) {
	for i := range index.len() {
		name := hex.EncodeToString(index.at(i))
		sum += sizeOf(filepath.Join(r.CommonDir, "objects", name[:2], name[2:]))
	}
	return sum
}

// sizeOf is a file's size; nothing where there is none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// check walks from tip to what the host has. Each object on the way must have been sent: that it merely is in the user's repository is not enough,
// since there are commits that the container may not see (amended away, stashed, of another remote), and naming one is not having it.
func (q *quarantine) check(ctx context.Context, tip string, haves []string, index packIndex) error {
	missing := map[string]bool{}
	call := q.call("rev-list", "--objects", "--stdin")
	call.in = revisions(tip, haves)
	err := eachObject(ctx, call, func(id string) error {
		if !index.has(id) {
			missing[id] = true
		}
		if len(missing) > maxMissing {
			return fmt.Errorf("%w: more than %d of their objects", ErrNotOffered, maxMissing)
		}
		return nil
	})
	if err != nil && !errors.Is(err, ErrNotOffered) && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", ErrBadObjects, err)
	}
	if err != nil || len(missing) == 0 {
		return err
	}
	return q.excuse(ctx, haves, missing)
}

// maxMissing bounds what is looked for in the host's history: a file that returned to what it was long ago may have been left out by the container.
const maxMissing = 10_000

// excuse strikes off what the host's own history has.
func (q *quarantine) excuse(ctx context.Context, haves []string, missing map[string]bool) error {
	call := q.call("rev-list", "--objects", "--stdin")
	call.in = strings.NewReader(strings.Join(haves, "\n") + "\n")
	err := eachObject(ctx, call, func(id string) error {
		delete(missing, id)
		if len(missing) == 0 {
			return io.EOF // no more is asked
		}
		return nil
	})
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	for id := range missing {
		return fmt.Errorf("%w: object %.12s", ErrNotOffered, id)
	}
	return nil
}

// eachObject hands out the names that a rev-list --objects writes, until each returns an error, which it then returns.
func eachObject(ctx context.Context, call gitCall, each func(id string) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	reader, writer := io.Pipe()
	call.out = writer
	var running sync.WaitGroup
	var ran error
	// Ends with git, which ends with ctx or when the reader is closed; waited for below.
	running.Go(func() {
		ran = call.run(ctx)
		writer.CloseWithError(ran)
	})
	err := scanObjects(reader, each)
	reader.CloseWithError(errStopped)
	if err != nil {
		cancel(err)
		running.Wait()
		return err
	}
	running.Wait()
	return ran
}

func scanObjects(r io.Reader, each func(id string) error) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		id, _, _ := strings.Cut(strings.TrimSuffix(string(line[:min(len(line), 65)]), "\n"), " ")
		for errors.Is(err, bufio.ErrBufferFull) { // a long path, of which nothing is wanted
			_, err = lines.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := each(id); err != nil {
			return err
		}
	}
}
