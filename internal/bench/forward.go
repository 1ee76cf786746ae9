//go:build linux

package main

import (
	"context"
	"encoding/json"
	"net"
	"strconv"
	"time"
)

// benchForwards times a new forward on the live connection, which listens when its command is answered, against a spawned `ssh -L -N`.
func benchForwards(ctx context.Context, b *bench) error {
	p, err := b.openPeers(ctx)
	if err != nil {
		return err
	}
	var accepts, first, spawned series
	for range 4 * b.reps {
		listens, byteBack, err := b.forwardOnce(ctx)
		if err != nil {
			return err
		}
		accepts = append(accepts, milliseconds(listens))
		first = append(first, milliseconds(byteBack))
	}
	for range b.reps {
		begun := time.Now()
		w, cmd, err := b.forwardBySSH(ctx, waySSH)
		if err != nil {
			return err
		}
		err = firstByte(ctx, w.stream)
		spawned = append(spawned, milliseconds(time.Since(begun)))
		hangUp(cmd)
		if err != nil {
			return err
		}
	}
	b.heading("a new forward (ms)", "median", "p99", "worst")
	b.times("sketch.forward to its answer: it accepts", accepts)
	b.times("sketch.forward to the first byte", first)
	b.times("spawned "+p.ways[waySSH].name+" to the first byte", spawned)
	b.atMost("new forward accepts, from the editor's request to its answer (ms)", series{accepts.median()}, 1)
	return nil
}

// forwardOnce forwards a port that was not: in the ephemeral range none is by itself.
func (b *bench) forwardOnce(ctx context.Context) (accepts, first time.Duration, err error) {
	port, err := b.insider.serve("stream", 0)
	if err != nil {
		return 0, 0, err
	}
	argument := map[string]any{"session": b.session.Name, "port": port}
	begun := time.Now()
	answer, err := b.editor.execute(ctx, "sketch.forward", argument)
	if err != nil {
		return 0, 0, err
	}
	accepts = time.Since(begun)
	var f struct {
		HostPort int `json:"hostPort"`
	}
	if err := json.Unmarshal(answer, &f); err != nil {
		return 0, 0, err
	}
	if err := firstByte(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(f.HostPort))); err != nil {
		return 0, 0, err
	}
	first = time.Since(begun)
	_, err = b.editor.execute(ctx, "sketch.unforward", argument)
	return accepts, first, err
}

// firstByte has one byte go there and back.
func firstByte(ctx context.Context, address string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	return echo(conn, []byte{wantEcho, 1})
}
