//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	idleWorkers = 32
	// idleLimit bounds each way's set-up and echo; OpenSSH needs about a minute for 10,000, and more on a busy machine.
	idleLimit = 150 * time.Second
)

// idleResult is of one way: seconds, and KiB of resident memory for each connection.
type idleResult struct{ setUp, echo, host, inside float64 }

// benchIdle opens very many connections, each with one byte back and forth, and then has another byte go round on all of them.
func benchIdle(ctx context.Context, b *bench) error {
	p, err := b.openPeers(ctx)
	if err != nil {
		return err
	}
	agent, err := b.agent(ctx)
	if err != nil {
		return err
	}
	b.heading(fmt.Sprintf("%d idle connections", b.conns), "set up s", "echo all s", "KiB/c host", "KiB/c inside")
	measure := func(w *way, inside []int) (idleResult, error) {
		r, err := b.idleOnce(ctx, w, inside)
		if err == nil {
			b.row(w.name, r.setUp, r.echo, r.host, r.inside)
		}
		return r, err
	}
	if _, err := measure(p.ways[wayDirect], nil); err != nil {
		return err
	}
	ours, err := measure(p.ways[wayOurs], agent)
	if err != nil {
		return err
	}
	sshd, err := processes(ctx, b.session.Container, "sshd")
	if err != nil {
		return err
	}
	ssh, err := b.idleOnce(ctx, p.ways[waySSH], sshd)
	switch {
	case errors.Is(err, errTooSlow):
		fmt.Fprintf(b.out, "%s: %v\n", p.ways[waySSH].name, err)
	case err != nil:
		return err
	default:
		b.row(p.ways[waySSH].name, ssh.setUp, ssh.echo, ssh.host, ssh.inside)
	}
	b.atMost("set-up / ssh -L", series{ours.setUp / ssh.setUp}, 0.1)
	b.atMost("memory of a connection, host (KiB)", series{ours.host}, 28)
	b.atMost("memory of a connection, container (KiB)", series{ours.inside}, 28)
	return nil
}

// errTooSlow is of a way that was given up. Its result says how long its set-up took at least.
var errTooSlow = fmt.Errorf("given up after %v", idleLimit)

func (b *bench) idleOnce(ctx context.Context, w *way, inside []int) (r idleResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, idleLimit)
	defer cancel()
	host, within := resident(w.host), resident(inside)
	conns := make([]net.Conn, b.conns)
	defer func() {
		for _, c := range conns {
			if c != nil {
				err = errors.Join(err, c.Close())
			}
		}
	}()
	begun := time.Now()
	defer func() {
		if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
			r.setUp, err = cmp.Or(r.setUp, idleLimit.Seconds()), errTooSlow
		}
	}()
	if err := onAll(conns, func(c *net.Conn) (err error) {
		if *c, err = new(net.Dialer).DialContext(ctx, "tcp", w.stream); err != nil {
			return err
		}
		deadline, _ := ctx.Deadline() // a part always has one
		if err := (*c).SetDeadline(deadline); err != nil {
			return err
		}
		return echo(*c, []byte{wantEcho, 1})
	}); err != nil {
		return r, fmt.Errorf("%s: set up: %w", w.name, err)
	}
	r.setUp = time.Since(begun).Seconds()
	begun = time.Now()
	if err := onAll(conns, func(c *net.Conn) error { return echo(*c, []byte{2}) }); err != nil {
		return r, fmt.Errorf("%s: echo: %w", w.name, err)
	}
	r.echo = time.Since(begun).Seconds()
	r.host = (resident(w.host) - host) / float64(b.conns)
	r.inside = (resident(inside) - within) / float64(b.conns)
	return r, nil
}

// echo writes data, and reads its last byte back.
func echo(c net.Conn, data []byte) error {
	if _, err := c.Write(data); err != nil {
		return err
	}
	var back [1]byte
	if _, err := io.ReadFull(c, back[:]); err != nil {
		return err
	}
	if back[0] != data[len(data)-1] {
		return fmt.Errorf("echo of %d is %d", data[len(data)-1], back[0])
	}
	return nil
}

// onAll does something with each connection, a bounded number at once, and returns the first error.
func onAll(conns []net.Conn, do func(*net.Conn) error) error {
	next := make(chan int)
	errs := make(chan error, idleWorkers)
	var wg sync.WaitGroup
	for range idleWorkers {
		// Ends with next, which is closed below.
		wg.Go(func() {
			var first error
			for i := range next {
				if first == nil {
					first = do(&conns[i])
				}
			}
			errs <- first
		})
	}
	for i := range conns {
		next <- i
	}
	close(next)
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
