//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

var addresses = []string{"127.0.0.1", "0.0.0.0", "::1", "::"}

const (
	activeGap = 120 * time.Millisecond
	idleGap   = 13 * time.Second
)

// benchListens times listen(2) inside until a GET works on the host, and until the notification's bytes are on stdout.
func benchListens(ctx context.Context, b *bench) error {
	if _, err := b.program(ctx); err != nil {
		return err
	}
	done, err := b.busy(ctx)
	if err != nil {
		return err
	}
	usable, lag, err := b.listenTable(ctx, "active: a command is alive (ms)", b.rounds, activeGap)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	b.atMost("listen to usable, active, median", series{usable.median()}, 20)
	b.atMost("listen to usable, active, p99", series{usable.quantile(0.99)}, 50)
	b.atMost("notification after usable, active, median", series{lag.median()}, 5)
	usable, _, err = b.listenTable(ctx, "idle: no command, nothing happened for 13 s (ms)", max(b.rounds/16, 1), idleGap)
	if err != nil {
		return err
	}
	// The seed polled inside every 5 s and from the host every 10 s, at no fixed phase.
	b.row("the seed, by arithmetic: polls of 5 s, then 10 s", (5000+10_000)/2, 15_000, 15_000)
	b.atMost("listen to usable, idle, worst", series{usable.worst()}, 350)
	return nil
}

func (b *bench) listenTable(ctx context.Context, title string, n int, gap time.Duration) (usable, lag series, err error) {
	b.heading(title, "median", "p99", "worst")
	for _, address := range addresses {
		u, told, err := b.listens(ctx, address, n, gap)
		if err != nil {
			return nil, nil, fmt.Errorf("listen on %s: %w", address, err)
		}
		b.times(fmt.Sprintf("listen(%s) to GET answered on the host", address), u)
		b.times(fmt.Sprintf("listen(%s) to notification on stdout", address), told)
		usable = append(usable, u...)
		for i := range told {
			lag = append(lag, told[i]-u[i])
		}
	}
	return usable, lag, nil
}

// listens opens and closes n ports inside, one after the other, gap apart.
func (b *bench) listens(ctx context.Context, address string, n int, gap time.Duration) (usable, told series, err error) {
	for range n {
		port, err := freePort()
		if err != nil {
			return nil, nil, err
		}
		pause(ctx, gap)
		wait := b.editor.awaitPort(port)
		answered := make(chan time.Duration, 1)
		getCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
		// Ends when the page answers or getCtx ends; its one result is read below.
		go func() { answered <- getUntilAnswer(getCtx, port) }()
		listened, err := b.insider.listen(address, port)
		if err != nil {
			cancel()
			return nil, nil, err
		}
		at := <-answered
		cancel()
		if at == 0 {
			return nil, nil, fmt.Errorf("no answer from localhost:%d within 10 s", port)
		}
		seen, err := wait(ctx)
		if err != nil {
			return nil, nil, err
		}
		usable = append(usable, milliseconds(at-listened))
		told = append(told, milliseconds(seen-listened))
		if err := b.insider.unlisten(); err != nil {
			return nil, nil, err
		}
	}
	return usable, told, nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// getUntilAnswer asks until the page comes, and returns when that was by the monotonic clock; 0 when ctx ended first.
func getUntilAnswer(ctx context.Context, port int) time.Duration {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	url := "http://" + net.JoinHostPort("localhost", strconv.Itoa(port)) + "/"
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return 0
		}
		if res, err := client.Do(req); err == nil {
			line, _ := bufio.NewReader(res.Body).ReadString('\n') // half an answer is no hello, and is asked for again
			if res.Body.Close() == nil && strings.HasPrefix(line, "hello") {
				return monotonic()
			}
		}
		pause(ctx, 500*time.Microsecond)
	}
	return 0
}

// freePort is a port that is free on the host, below the ephemeral range, whose ports are not forwarded.
func freePort() (int, error) {
	for range 100 {
		port := 20000 + int(time.Now().UnixNano()/1000)%9000
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port between 20000 and 29000")
}

// monotonic is CLOCK_MONOTONIC, which a container shares with its host.
func monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
