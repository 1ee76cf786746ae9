//go:build linux

package main

import (
	"context"
	"errors"
	"net"
	"strconv"
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
	if err := b.visitTwice(ctx); err != nil {
		return err
	}
	pause(ctx, 2*settleAfter) // the second connection outlives them for a while
	besideInside, besideHost, err := b.cost(ctx)
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
	b.row("idle, after two visitors of a port", besideInside, besideHost)
	b.row("active: a command is alive, nothing listens anew", activeInside, activeHost)
	b.atMost("idle, container", series{idleInside}, 0.3)
	b.atMost("idle, host", series{idleHost}, 0.1)
	b.atMost("idle after visitors, container", series{besideInside}, 0.3)
	b.atMost("idle after visitors, host", series{besideHost}, 0.1)
	b.atMost("active detection, container", series{activeInside}, 2)
	return done()
}

// visitTwice has two visitors of one port at a time, as a browser would, for whom the session gets a second SSH connection.
func (b *bench) visitTwice(ctx context.Context) error {
	i, err := b.program(ctx)
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	told := b.editor.awaitPort(port)
	if _, err := i.serve("stream", port); err != nil {
		return err
	}
	if _, err := told(ctx); err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for range 2 {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := errors.Join(echo(conn, []byte{wantEcho, 1}), firstByte(ctx, address)); err != nil {
			return err
		}
	}
	return nil
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
