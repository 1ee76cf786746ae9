//go:build linux

package main

import (
	"context"
	"path/filepath"
	"time"
)

// benchStarts times sketch.start until the answer: the repository is inside, and prompts and ssh work.
func benchStarts(ctx context.Context, b *bench) error {
	var first, warm series
	for i := range b.reps + 1 {
		begun := time.Now()
		s, err := b.editor.start(ctx, filepath.Join(b.dir, "bench-repo"))
		if err != nil {
			return err
		}
		if took := time.Since(begun); i == 0 {
			first = append(first, milliseconds(took))
		} else {
			warm = append(warm, milliseconds(took))
		}
		if err := b.editor.stop(ctx, s); err != nil {
			return err
		}
	}
	b.heading("sketch.start to its answer (ms)", "median", "p99", "worst")
	b.times("first (image built if it was not there)", first)
	b.times("warm: image cached", warm)
	return nil
}
