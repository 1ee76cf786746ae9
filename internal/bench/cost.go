//go:build linux

package main

import (
	"context"
	"time"
)

const (
	costSpan    = 30 * time.Second
	settleAfter = 15 * time.Second // by then a session in which nothing happens has slowed down
)

// benchCost measures what a session costs in which nothing happens, and what it costs to watch ports closely.
func benchCost(ctx context.Context, b *bench) error {
	if _, err := b.open(ctx); err != nil {
		return err
	}
	pause(ctx, settleAfter)
	idleInside, idleHost, err := b.cost(ctx)
	if err != nil {
		return err
	}
	done, err := b.busy(ctx)
	if err != nil {
		return err
	}
	activeInside, activeHost, err := b.cost(ctx)
	if err != nil {
		return err
	}
	b.heading("CPU of a session over 30 s (% of one core)", "container", "host")
	b.row("idle", idleInside, idleHost)
	b.row("active: a command is alive, nothing listens anew", activeInside, activeHost)
	b.atMost("idle, container", series{idleInside}, 0.3)
	b.atMost("idle, host", series{idleHost}, 0.1)
	b.atMost("active detection, container", series{activeInside}, 2)
	return done()
}

// cost returns what the agent and the backend use, in percent of one core.
func (b *bench) cost(ctx context.Context) (inside, host float64, err error) {
	agent, err := b.agent(ctx)
	if err != nil {
		return 0, 0, err
	}
	backend := []int{b.editor.cmd.Process.Pid}
	insideBefore, hostBefore, begun := threadTime(agent), threadTime(backend), time.Now()
	pause(ctx, costSpan)
	took := time.Since(begun)
	share := func(d time.Duration) float64 { return 100 * d.Seconds() / took.Seconds() }
	return share(threadTime(agent) - insideBefore), share(threadTime(backend) - hostBefore), ctx.Err()
}
