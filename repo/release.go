package repo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// fewObjects is up to how many objects of a pull become loose objects rather than a pack, as with git fetch: sessions commit often, and many small
// packs would slow the repository down.
const fewObjects = 100

// release moves what is in the quarantine into the user's repository, once it is known to be whole and the container's to give.
func (q *quarantine) release(ctx context.Context, tip string, haves []string) error {
	if kind, err := q.ask(ctx, "cat-file", "-t", tip); err != nil || kind != "commit" {
		return fmt.Errorf("%w: %.12s is not a commit that was sent", ErrBadObjects, tip)
	}
	pack, index, err := q.index()
	if err != nil {
		return err
	}
	if err := q.check(ctx, tip, haves, index); err != nil {
		return err
	}
	file, err := os.Open(pack)
	if err != nil {
		return err
	}
	defer file.Close()
	call := gitCall{dir: q.r.CommonDir, args: []string{"--git-dir=.", "index-pack", "--stdin"}, in: file}
	if index.len() < fewObjects {
		call.args = []string{"--git-dir=.", "unpack-objects", "-q"}
	}
	return call.run(ctx)
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
