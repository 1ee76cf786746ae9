//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// keystroke is how far apart the requests beside a bulk stream are: quick for a person who types, and too slow to take
// a share of the processors of its own.
const keystroke = 5 * time.Millisecond

// besideResult has one element for each repetition: milliseconds, MiB/s.
type besideResult struct{ p50, p99, bulk series }

// benchBeside measures what a keystroke's echo takes on a forward while one stream fills the same connection: tiny GETs over a connection that is
// kept alive. It has no target: what a person notices is the tail, and that is the kernel's scheduler's as much as ours.
func benchBeside(ctx context.Context, b *bench) error {
	p, err := b.openPeers(ctx)
	if err != nil {
		return err
	}
	results := make([][]besideResult, len(bulkKinds))
	var kinds []int // of one stream
	for k, kind := range bulkKinds {
		results[k] = make([]besideResult, len(p.ways))
		if kind.streams == 1 {
			kinds = append(kinds, k)
		}
	}
	for range b.reps {
		for _, n := range rand.Perm(len(kinds) * len(p.ways)) {
			k, w := kinds[n/len(p.ways)], n%len(p.ways)
			if err := results[k][w].measure(ctx, p.ways[w], bulkKinds[k], b.span); err != nil {
				return fmt.Errorf("%s, %s: %w", p.ways[w].name, bulkKinds[k].name, err)
			}
		}
	}
	for _, k := range kinds {
		b.heading(fmt.Sprintf("a GET beside a stream (%s), median of %d", bulkKinds[k].name, b.reps), "p50 ms", "p99 ms", "bulk MiB/s")
		for w := range p.ways {
			r := &results[k][w]
			b.row(p.ways[w].name, r.p50.median(), r.p99.median(), r.bulk.median())
		}
	}
	return nil
}

func (r *besideResult) measure(ctx context.Context, w *way, kind bulkKind, span time.Duration) error {
	var n int64
	var took time.Duration
	moved := make(chan error, 1)
	// Ends after span; waited for below.
	go func() {
		var err error
		n, took, err = transfer(ctx, w.stream, kind, span)
		moved <- err
	}()
	latencies, err := paced(ctx, w.web, time.Now().Add(span))
	if err := errors.Join(<-moved, err); err != nil {
		return err
	}
	r.p50 = append(r.p50, latencies.quantile(0.5))
	r.p99 = append(r.p99, latencies.quantile(0.99))
	r.bulk = append(r.bulk, float64(n)/(1<<20)/took.Seconds())
	return nil
}

// paced makes GETs until then, a keystroke after the answer to the one before, all over one connection, and returns how long each took.
func paced(ctx context.Context, address string, until time.Time) (took series, err error) {
	c, err := newClient(ctx, address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.conn.Close()) }()
	for time.Now().Before(until) && ctx.Err() == nil {
		pause(ctx, keystroke)
		begun := time.Now()
		if err := c.get(true); err != nil {
			return nil, err
		}
		took = append(took, milliseconds(time.Since(begun)))
	}
	return took, ctx.Err()
}
