//go:build linux

// Command bench measures sketch-ide from the outside, as an editor sees it: it starts the real backend, starts a session on a real repository in a
// real container, and prints medians and worsts. Run it by `make bench`; it needs Linux, a Docker engine and the base image of the tests.
//
// Inside the container it runs itself (see inside.go), because both sides of a container share one monotonic clock on Linux: the moment at
// which listen(2) returned inside can be compared with what the host saw.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == insideArg {
		inside(os.Stdin, os.Stdout)
		return
	}
	server := flag.String("server", "bin/sketch-ide", "the backend under test")
	image := flag.String("base-image", os.Getenv("SKETCH_IDE_BASE_IMAGE"), "base image")
	rounds := flag.Int("rounds", 50, "listens per kind of address and pace")
	starts := flag.Int("starts", 5, "warm starts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, *server, *image, *rounds, *starts); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, server, image string, rounds, starts int) (err error) {
	dir, err := os.MkdirTemp("", "sketch-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	repo := filepath.Join(dir, "bench-repo")
	if err := makeRepo(ctx, repo); err != nil {
		return err
	}
	e, err := startEditor(ctx, server, dir, repo, image)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.close()) }()

	if err := benchStarts(ctx, e, starts); err != nil {
		return err
	}
	s, err := e.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.stop(context.WithoutCancel(ctx), s)) }()
	if err := benchPorts(ctx, e, s, rounds); err != nil {
		return err
	}
	return nil
}

// benchStarts times sketch.start with the image cached, until the answer: the repository is inside, and prompts and ssh work.
func benchStarts(ctx context.Context, e *editor, n int) error {
	var cold, times []time.Duration
	for i := range n + 1 {
		begun := time.Now()
		s, err := e.start(ctx)
		if err != nil {
			return err
		}
		if took := time.Since(begun); i == 0 {
			cold = append(cold, took)
		} else {
			times = append(times, took)
		}
		if err := e.stop(ctx, s); err != nil {
			return err
		}
	}
	fmt.Printf("\n%-52s %9s %9s %9s\n", "sketch.start to its answer (ms)", "median", "best", "worst")
	row("first (image built if it was not there)", cold)
	row(fmt.Sprintf("warm: image cached (%d)", n), times)
	return nil
}

var addresses = []string{"127.0.0.1", "0.0.0.0", "::1", "::"}

// benchPorts times listen(2) inside until a GET works on the host, and until the notification's bytes are on stdout.
func benchPorts(ctx context.Context, e *editor, s sessionInfo, rounds int) error {
	for _, pace := range []struct {
		name string
		gap  time.Duration
	}{
		{"active: the next listen within a second", 120 * time.Millisecond},
		{"idle: nothing happened for 13 s", 13 * time.Second},
	} {
		fmt.Printf("\n%-52s %9s %9s %9s\n", pace.name+" (ms)", "median", "best", "worst")
		n := rounds
		if pace.gap > time.Second {
			n = max(rounds/10, 1) // 13 s each: these take minutes already
		}
		for _, address := range addresses {
			usable, told, err := e.listens(ctx, s, address, n, pace.gap)
			if err != nil {
				return fmt.Errorf("listen on %s: %w", address, err)
			}
			row(fmt.Sprintf("listen(%s) to GET answered on the host (%d)", address, n), usable)
			row(fmt.Sprintf("listen(%s) to notification on stdout (%d)", address, n), told)
		}
	}
	return nil
}

func row(name string, times []time.Duration) {
	slices.Sort(times)
	ms := func(d time.Duration) string { return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) }
	fmt.Printf("%-52s %9s %9s %9s\n", name, ms(times[len(times)/2]), ms(times[0]), ms(times[len(times)-1]))
}

// listens opens and closes n ports inside, one after the other, gap apart.
func (e *editor) listens(ctx context.Context, s sessionInfo, address string, n int, gap time.Duration) (usable, told []time.Duration, err error) {
	in, err := e.runInside(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	for range n {
		port, err := freePort()
		if err != nil {
			return nil, nil, err
		}
		pause(ctx, gap)
		wait := e.awaitPort(port)
		answered := make(chan time.Duration, 1)
		getCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
		// Ends when the page answers or getCtx ends; its one result is read below.
		go func() { answered <- getUntilAnswer(getCtx, port) }()
		listened, err := in.listen(address, port)
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
		usable, told = append(usable, at-listened), append(told, seen-listened)
		if err := in.unlisten(); err != nil {
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
			line, _ := bufio.NewReader(res.Body).ReadString('\n')
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
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
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
