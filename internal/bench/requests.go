//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// requestKind is how tiny GETs are made.
type requestKind struct {
	name      string
	clients   int
	keepAlive bool
}

const (
	kindFresh = iota
	kindFresh32
	kindKeepAlive32
)

var requestKinds = []requestKind{
	{"fresh connections, one after another", 1, false},
	{"fresh connections, 32 at once", 32, false},
	{"kept alive, 32 at once", 32, true},
}

// requestResult has one element for each repetition: requests per second, milliseconds.
type requestResult struct{ rate, p50, p99 series }

// benchRequests measures tiny GETs: what opening a connection costs, and what a round trip costs.
func benchRequests(ctx context.Context, b *bench) error {
	p, err := b.openPeers(ctx)
	if err != nil {
		return err
	}
	if err := b.renewClients(ctx); err != nil {
		return err
	}
	results := make([][]requestResult, len(requestKinds))
	for k := range results {
		results[k] = make([]requestResult, len(p.ways))
	}
	for range b.reps {
		for _, n := range rand.Perm(len(requestKinds) * len(p.ways)) {
			k, w := n/len(p.ways), n%len(p.ways)
			if err := results[k][w].measure(ctx, p.ways[w].web, requestKinds[k], b.span); err != nil {
				return fmt.Errorf("%s, %s: %w", p.ways[w].name, requestKinds[k].name, err)
			}
		}
	}
	for k, kind := range requestKinds {
		b.heading(fmt.Sprintf("%s, median of %d", kind.name, b.reps), "per second", "p50 ms", "p99 ms")
		for w := range p.ways {
			r := &results[k][w]
			b.row(p.ways[w].name, r.rate.median(), r.p50.median(), r.p99.median())
		}
		ours, ssh := &results[k][wayOurs], &results[k][waySSH]
		if k == kindFresh {
			b.atLeast("one after another, rate / ssh -L", ours.rate.over(ssh.rate), 10)
			b.atMost("one after another, p99 / ssh -L", ours.p99.over(ssh.p99), 0.1)
			continue
		}
		b.atLeast(kind.name+", rate / ssh -L", ours.rate.over(ssh.rate), 0.95)
	}
	return nil
}

func (r *requestResult) measure(ctx context.Context, address string, kind requestKind, span time.Duration) error {
	begun := time.Now()
	all, errs := make([]series, kind.clients), make([]error, kind.clients)
	var wg sync.WaitGroup
	for i := range kind.clients {
		// Ends after span; waited for below.
		wg.Go(func() { all[i], errs[i] = requests(ctx, address, kind.keepAlive, begun.Add(span)) })
	}
	wg.Wait()
	took := time.Since(begun)
	var latencies series
	for _, l := range all {
		latencies = append(latencies, l...)
	}
	r.rate = append(r.rate, float64(len(latencies))/took.Seconds())
	r.p50 = append(r.p50, latencies.quantile(0.5))
	r.p99 = append(r.p99, latencies.quantile(0.99))
	return errors.Join(errs...)
}

// requests makes GETs until then and returns how long each took, its connection included where it has one of its own.
func requests(ctx context.Context, address string, keepAlive bool, until time.Time) (took series, err error) {
	var c *client
	defer func() {
		if c != nil {
			err = errors.Join(err, c.conn.Close())
		}
	}()
	for time.Now().Before(until) {
		begun := time.Now()
		if c == nil {
			if c, err = newClient(ctx, address); err != nil {
				return nil, err
			}
		}
		if err := c.get(keepAlive); err != nil {
			return nil, err
		}
		if !keepAlive {
			if err := c.conn.Close(); err != nil {
				return nil, err
			}
			c = nil
		}
		took = append(took, milliseconds(time.Since(begun)))
	}
	return took, nil
}

// client is an HTTP client of one connection, so that nothing is measured but that.
type client struct {
	conn net.Conn
	in   *bufio.Reader
}

func newClient(ctx context.Context, address string) (*client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &client{conn, bufio.NewReader(conn)}, nil
}

func (c *client) get(keepAlive bool) error {
	request := "GET / HTTP/1.1\r\nHost: bench\r\n"
	if !keepAlive {
		request += "Connection: close\r\n"
	}
	if _, err := io.WriteString(c.conn, request+"\r\n"); err != nil {
		return err
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if string(body) != "hello\n" {
		return fmt.Errorf("GET answered %q", body)
	}
	return nil
}
