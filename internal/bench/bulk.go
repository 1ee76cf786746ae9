//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// bulkKind is a direction and a number of connections at once.
type bulkKind struct {
	name    string
	up      bool
	streams int
}

var bulkKinds = []bulkKind{{"down 1", false, 1}, {"down 4", false, 4}, {"up 1", true, 1}, {"up 4", true, 4}}

// bulkResult has one element for each repetition, so that ratios can be taken in pairs.
type bulkResult struct{ rate, cpu series }

// benchBulk measures throughput, and the CPU time per GiB of everybody involved: source, sink and all between.
func benchBulk(ctx context.Context, b *bench) error {
	p, err := b.openPeers(ctx)
	if err != nil {
		return err
	}
	results := map[[2]int]*bulkResult{} // by way and kind
	for range b.reps {
		for _, n := range rand.Perm(len(p.ways) * len(bulkKinds)) {
			at := [2]int{n / len(bulkKinds), n % len(bulkKinds)}
			r := results[at]
			if r == nil {
				r = &bulkResult{}
				results[at] = r
			}
			if err := b.bulkOnce(ctx, p.ways[at[0]], bulkKinds[at[1]], r); err != nil {
				return fmt.Errorf("%s, %s: %w", p.ways[at[0]].name, bulkKinds[at[1]].name, err)
			}
		}
	}
	b.bulkTable(p, results, "bulk throughput (MiB/s)", func(r *bulkResult) series { return r.rate })
	b.bulkTable(p, results, "CPU of all processes involved (core-s/GiB)", func(r *bulkResult) series { return r.cpu })
	b.bulkTargets(results)
	return nil
}

func (b *bench) bulkTable(p *peers, results map[[2]int]*bulkResult, title string, of func(*bulkResult) series) {
	var columns []string
	for _, k := range bulkKinds {
		columns = append(columns, k.name)
	}
	b.heading(fmt.Sprintf("%s, median of %d", title, b.reps), columns...)
	for i, w := range p.ways {
		var values []float64
		for k := range bulkKinds {
			values = append(values, of(results[[2]int{i, k}]).median())
		}
		b.row(w.name, values...)
	}
}

func (b *bench) bulkTargets(results map[[2]int]*bulkResult) {
	for k, kind := range bulkKinds {
		ours := results[[2]int{wayOurs, k}]
		peer := func(i int) *bulkResult { return results[[2]int{i, k}] }
		overSSH := 1.5
		if kind.up {
			overSSH = 1.3
		}
		b.atLeast(kind.name+", rate / ssh -L", ours.rate.over(peer(waySSH).rate), overSSH)
		b.atLeast(kind.name+", rate / ssh -L -c aes128-gcm", ours.rate.over(peer(wayGCM).rate), 1)
		b.atLeast(kind.name+", rate / the seed's way", ours.rate.over(peer(waySeed).rate), 2.5)
		b.atMost(kind.name+", CPU per GiB / ssh -L", ours.cpu.over(peer(waySSH).cpu), 0.75)
	}
}

// bulkOnce adds one measurement to r.
func (b *bench) bulkOnce(ctx context.Context, w *way, kind bulkKind, r *bulkResult) error {
	inside, err := processes(ctx, w.container, "")
	if err != nil {
		return err
	}
	involved := append(inside, w.host...)
	cpu := cpuTime(involved) + ownTime()
	n, took, err := transfer(ctx, w.stream, kind, b.span)
	if err != nil {
		return err
	}
	cpu = cpuTime(involved) + ownTime() - cpu
	r.rate = append(r.rate, float64(n)/(1<<20)/took.Seconds())
	r.cpu = append(r.cpu, cpu.Seconds()/(float64(n)/(1<<30)))
	return nil
}

// transfer moves bytes over connections of its own for about span, and returns how many arrived in which time.
func transfer(ctx context.Context, address string, kind bulkKind, span time.Duration) (n int64, took time.Duration, err error) {
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for range kind.streams {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return 0, 0, err
		}
		conns = append(conns, c)
	}
	move := receive
	if kind.up {
		move = send
	}
	moved, errs := make([]int64, kind.streams), make([]error, kind.streams)
	begun := time.Now()
	var wg sync.WaitGroup
	for i, c := range conns {
		// Ends at the deadline, or with the connection; waited for below.
		wg.Go(func() { moved[i], errs[i] = move(c, begun.Add(span)) })
	}
	wg.Wait()
	took = time.Since(begun)
	for i := range conns {
		if n += moved[i]; errs[i] != nil {
			return 0, 0, errs[i]
		}
	}
	return n, took, nil
}

func receive(c net.Conn, until time.Time) (n int64, err error) {
	if _, err := c.Write([]byte{wantDown}); err != nil {
		return 0, err
	}
	for data := make([]byte, chunk); time.Now().Before(until); {
		m, err := c.Read(data)
		n += int64(m)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// send returns when the other end has read everything.
func send(c net.Conn, until time.Time) (int64, error) {
	if _, err := c.Write([]byte{wantUp}); err != nil {
		return 0, err
	}
	for data := make([]byte, chunk); data[0] != lastChunk; {
		if !time.Now().Before(until) {
			data[0] = lastChunk
		}
		if _, err := c.Write(data); err != nil {
			return 0, err
		}
	}
	var count [8]byte
	if _, err := io.ReadFull(c, count[:]); err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(count[:])), nil
}
