package repo

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A container that goes on answering, a byte now and then, keeps nobody waiting for ever.
func TestSecurityEndlessAnswersEnd(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("1", 40)
	entry := ":000000 100644 " + strings.Repeat("0", 40) + " " + id + " A\x00a.txt\x001\t0\ta.txt\x00"
	trickle := hostile(func(ctx context.Context, _ io.Reader, out io.Writer) error {
		for ctx.Err() == nil {
			if _, err := io.WriteString(out, "x"); err != nil {
				return err
			}
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
		return ctx.Err()
	})
	asked := 0
	lastly := hostile(func(ctx context.Context, in io.Reader, out io.Writer) error {
		switch asked++; asked {
		case 1:
			_, err := io.WriteString(out, id+"\n")
			return err
		case 2:
			_, err := io.WriteString(out, entry)
			return err
		}
		return trickle(ctx, in, out)
	})
	for name, ask := range map[string]func(ctx context.Context, r *Repo) error{
		"its files": func(ctx context.Context, r *Repo) error {
			_, err := r.DiffInside(ctx, trickle, "/w", id, DiffOptions{})
			return err
		},
		"its patch": func(ctx context.Context, r *Repo) error {
			_, err := r.DiffInside(ctx, lastly, "/w", id, DiffOptions{})
			return err
		},
		"a file": func(ctx context.Context, _ *Repo) error {
			_, err := FileInside(ctx, trickle, "/w", "a.txt")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if err := ask(t.Context(), &Repo{Head: id}); !errors.Is(err, ErrInsideLimit) {
					t.Errorf("%v, want %v", err, ErrInsideLimit)
				}
			})
		})
	}
}
