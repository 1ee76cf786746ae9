//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// benchStarts times sketch.start until the answer: the repository is inside, and prompts and ssh work. Beside it stands what the engine alone takes for the
// same image, `docker run` until its first output, each time right before.
func benchStarts(ctx context.Context, b *bench) error {
	repo := filepath.Join(b.dir, "bench-repo")
	var first, warm, run series
	for i := range b.reps + 1 {
		begun := time.Now()
		s, err := b.editor.start(ctx, repo)
		if err != nil {
			return err
		}
		took := milliseconds(time.Since(begun))
		image, err := docker(ctx, "inspect", "-f", "{{.Image}}", s.Container)
		if err != nil {
			return err
		}
		if err := b.editor.stop(ctx, s); err != nil {
			return err
		}
		ran, err := firstOutput(ctx, image)
		if err != nil {
			return err
		}
		if i == 0 {
			first = append(first, took)
			continue
		}
		warm, run = append(warm, took), append(run, milliseconds(ran))
	}
	again, err := b.reattach(ctx, repo)
	if err != nil {
		return err
	}
	ten, err := b.many(ctx)
	if err != nil {
		return err
	}
	b.heading("sketch.start to its answer (ms)", "median", "p99", "worst")
	b.times("first (image built if it was not there)", first)
	b.times("warm: image cached", warm)
	b.times("for comparison: docker run of the same image, first output", run)
	b.times("reattach: a killed backend's successor, from its launch on", again)
	b.times(fmt.Sprintf("%d starts at once, until the last one", parallelStarts), ten)
	var allowed series
	for _, r := range run {
		allowed = append(allowed, 1.2*r+300)
	}
	b.atMost("warm start / (1.2 x docker run + 300 ms)", warm.over(allowed), 1)
	b.atMost("reattach (ms)", again, 300)
	return nil
}

// firstOutput is how long `docker run` takes until a byte of the container's output is here.
func firstOutput(ctx context.Context, image string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, "docker", "run", "--rm", "--entrypoint", "echo", image, "ready")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, err = out.Read(make([]byte, 1))
	took := time.Since(begun)
	return took, errors.Join(err, cmd.Wait())
}

// reattach kills a backend as a crash does, and times the next one until its session is ready again.
func (b *bench) reattach(ctx context.Context, repo string) (times series, err error) {
	e, err := startEditor(ctx, b.server, b.dir, repo, b.image)
	if err != nil {
		return nil, err
	}
	s, err := e.start(ctx, repo)
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	defer func() { err = errors.Join(err, b.editor.stop(ctx, s)) }()
	for range b.reps {
		if err := e.cmd.Process.Kill(); err != nil {
			return nil, err
		}
		_ = e.cmd.Wait() // killed, as it says
		begun := time.Now()
		if e, err = startEditor(ctx, b.server, b.dir, repo, b.image); err != nil {
			return nil, err
		}
		if _, err := e.start(ctx, repo); err != nil {
			return nil, errors.Join(err, e.close())
		}
		times = append(times, milliseconds(time.Since(begun)))
	}
	return times, e.close()
}

const parallelStarts = 10

// many starts sessions of as many repositories at once; none may fail.
func (b *bench) many(ctx context.Context) (series, error) {
	sessions := make([]sessionInfo, parallelStarts)
	for i := range sessions {
		if err := makeRepo(ctx, filepath.Join(b.dir, fmt.Sprint("bench-many-", i))); err != nil {
			return nil, err
		}
	}
	begun := time.Now()
	group, groupCtx := errgroup.WithContext(ctx)
	for i := range sessions {
		group.Go(func() (err error) {
			sessions[i], err = b.editor.start(groupCtx, filepath.Join(b.dir, fmt.Sprint("bench-many-", i)))
			return err
		})
	}
	err := group.Wait()
	took := time.Since(begun)
	for _, s := range sessions {
		if s.Name != "" {
			err = errors.Join(err, b.editor.stop(ctx, s))
		}
	}
	return series{milliseconds(took)}, err
}
