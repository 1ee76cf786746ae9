//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	largeCommits = 64
	largeFiles   = 256 // a commit
	largeFile    = 64 << 10
	commitLimit  = time.Minute // for a commit to come back
	commitLook   = time.Millisecond
	commitRounds = 20
)

// benchRepository compares the start on a repository of 1 GiB of objects with git's own copy of it, and times how long a commit takes to come back.
func benchRepository(ctx context.Context, b *bench) (err error) {
	dir := filepath.Join(b.dir, "bench-large")
	if err := makeLarge(ctx, dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var clones, starts series
	for range b.reps {
		took, err := cloneOnce(ctx, dir)
		if err != nil {
			return err
		}
		clones = append(clones, milliseconds(took))
		begun := time.Now()
		s, err := b.editor.start(ctx, dir)
		if err != nil {
			return err
		}
		starts = append(starts, milliseconds(time.Since(begun)))
		if err := b.editor.stop(ctx, s); err != nil {
			return err
		}
	}
	b.heading("a repository of 1 GiB of objects (ms)", "median", "p99", "worst")
	b.times("git clone --no-hardlinks", clones)
	b.times("sketch.start to its answer", starts[1:]) // the first builds the image
	b.atMost("start on 1 GiB of objects / git clone --no-hardlinks", starts[1:].over(clones[1:]), 1.3)
	return b.commits(ctx)
}

// makeLarge makes a repository of files that do not compress, in one pack.
func makeLarge(ctx context.Context, dir string) error {
	if err := makeRepo(ctx, dir); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "git", "-C", dir, "fast-import", "--quiet", "--force")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w := bufio.NewWriterSize(in, 1<<20)
	for c := range largeCommits {
		fmt.Fprintf(w, "commit refs/heads/main\ncommitter Bench <bench@example.com> %d +0000\ndata 0\n", 1_700_000_000+c)
		for f := range largeFiles {
			fmt.Fprintf(w, "M 100644 inline d%d/f%d\ndata %d\n", f%16, f+largeFiles*(c%4), largeFile)
			if _, err := io.CopyN(w, rand.Reader, largeFile); err != nil {
				return err
			}
			fmt.Fprintln(w)
		}
	}
	if err := errors.Join(w.Flush(), in.Close(), cmd.Wait()); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "git", "-C", dir, "reset", "-q", "--hard", "main").CombinedOutput()
	if err != nil {
		return fmt.Errorf("git reset: %w: %s", err, out)
	}
	return nil
}

func cloneOnce(ctx context.Context, dir string) (time.Duration, error) {
	target := dir + "-clone"
	begun := time.Now()
	out, err := exec.CommandContext(ctx, "git", "clone", "-q", "--no-hardlinks", dir, target).CombinedOutput()
	took := time.Since(begun)
	if err != nil {
		return 0, fmt.Errorf("git clone: %w: %s", err, out)
	}
	return took, os.RemoveAll(target)
}

// commits times from the end of git commit inside to the branch on the host. Both sides have one clock.
func (b *bench) commits(ctx context.Context) error {
	dir := filepath.Join(b.dir, "bench-repo")
	s, err := b.editor.start(ctx, dir)
	if err != nil {
		return err
	}
	var back series
	for range commitRounds {
		took, err := b.commitOnce(ctx, s, dir)
		if err != nil {
			return errors.Join(err, b.editor.stop(ctx, s))
		}
		back = append(back, milliseconds(took))
	}
	b.heading("a commit inside to the branch on the host (ms)", "median", "p99", "worst")
	b.times("git commit has ended to the ref has moved", back)
	b.atMost("a commit inside to the branch on the host, worst (ms)", series{back.worst()}, 1000)
	return b.editor.stop(ctx, s)
}

func (b *bench) commitOnce(ctx context.Context, s sessionInfo, dir string) (time.Duration, error) {
	cmd := b.editor.command(ctx, "ssh", s.Name, "--", "date >>log; git add log; git commit -qm work; date +%s%N; git rev-parse HEAD; git symbolic-ref HEAD")
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("commit inside: %w", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 3 {
		return 0, fmt.Errorf("commit inside: it answered %q", out)
	}
	ended, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0, err
	}
	at, err := awaitRef(ctx, filepath.Join(dir, ".git", fields[2]), fields[1])
	return at.Sub(time.Unix(0, ended)), err
}

// awaitRef returns when the ref was moved to commit, by the file's own time.
func awaitRef(ctx context.Context, path, commit string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	tick := time.NewTicker(commitLook)
	defer tick.Stop()
	for {
		if content, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(content)) == commit {
			info, err := os.Stat(path)
			if err != nil {
				return time.Time{}, err
			}
			return info.ModTime(), nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("commit %s has not come back: %w", commit, ctx.Err())
		case <-tick.C:
		}
	}
}
