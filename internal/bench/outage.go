//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// outage is a way in which the container stops to answer, and how it comes back.
type outage struct {
	name       string
	begin, end func(context.Context) error
}

// outages are the ones that nobody announces to a TCP connection.
func (b *bench) outages() []outage {
	pause := func(ctx context.Context, verb string) error {
		_, err := docker(ctx, verb, b.session.Container)
		return err
	}
	drop := func(ctx context.Context, verb string) error {
		var errs []error
		for _, rule := range [][]string{{"OUTPUT", "-d"}, {"INPUT", "-s"}} {
			args := []string{"-w", verb, rule[0], rule[1], b.address, "-j", "DROP"}
			if out, err := exec.CommandContext(ctx, "iptables", args...).CombinedOutput(); err != nil {
				errs = append(errs, fmt.Errorf("iptables: %w: %s", err, out))
			}
		}
		return errors.Join(errs...)
	}
	return []outage{
		{"container paused", func(ctx context.Context) error { return pause(ctx, "pause") }, func(ctx context.Context) error { return pause(ctx, "unpause") }},
		{"packets dropped", func(ctx context.Context) error { return drop(ctx, "-I") }, func(ctx context.Context) error { return drop(ctx, "-D") }},
	}
}

// outageLimit bounds each wait of an outage.
const outageLimit = 30 * time.Second

// benchOutages times what who uses a forward sees of a dead peer: when an established connection is reset, and when a request that was made during the
// outage is answered after it.
func benchOutages(ctx context.Context, b *bench) error {
	p, err := b.openPeers(ctx)
	if err != nil {
		return err
	}
	b.heading("a peer that does not answer (ms)", "median", "p99", "worst")
	for _, o := range b.outages() {
		var noticed, served series
		for range max(b.reps/2, 1) {
			n, s, err := outageOnce(ctx, p.ways[wayOurs].web, o)
			if err != nil {
				return fmt.Errorf("%s: %w", o.name, err)
			}
			noticed, served = append(noticed, milliseconds(n)), append(served, milliseconds(s))
		}
		b.times(o.name+" to established connections reset", noticed)
		b.times(o.name+": end to a held request answered", served)
		b.atMost(o.name+", noticed after (ms)", series{noticed.worst()}, 10_000)
		b.atMost(o.name+", served again after (ms)", series{served.worst()}, 2_000)
	}
	return nil
}

func outageOnce(ctx context.Context, address string, o outage) (noticed, served time.Duration, err error) {
	idle, err := newClient(ctx, address)
	if err != nil {
		return 0, 0, err
	}
	defer idle.conn.Close()
	if err := idle.get(true); err != nil {
		return 0, 0, err
	}
	if err := o.begin(ctx); err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	err = idle.conn.SetReadDeadline(begun.Add(outageLimit))
	if _, rerr := idle.conn.Read(make([]byte, 1)); err == nil && errors.Is(rerr, os.ErrDeadlineExceeded) {
		err = errors.New("not noticed")
	}
	noticed = time.Since(begun)
	held, herr := hold(ctx, address)
	if err := errors.Join(err, herr, o.end(context.WithoutCancel(ctx))); err != nil {
		return 0, 0, err
	}
	defer held.Close()
	back := time.Now()
	res, err := http.ReadResponse(bufio.NewReader(held), nil)
	if err != nil {
		return 0, 0, fmt.Errorf("held request: %w", err)
	}
	return noticed, time.Since(back), res.Body.Close()
}

// hold makes a request, and leaves its answer to be read.
func hold(ctx context.Context, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
	return conn, errors.Join(err, conn.SetReadDeadline(time.Now().Add(outageLimit)))
}
