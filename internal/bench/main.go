//go:build linux

// Command bench measures sketch-ide from the outside, as an editor sees it: it starts the real backend, starts a session on a real repository in a
// real container, and prints medians beside those of the alternatives: a direct connection to the container, OpenSSH's `ssh -L`, and what the seed did. At
// the end stands a table of all targets, and whether they were met. Run it by `make bench`; it needs Linux, a Docker engine on this machine and the base image of the tests.
//
// Inside the container it runs itself (see inside.go), because both sides of a container share one monotonic clock on Linux: the moment at
// which listen(2) returned inside can be compared with what the host saw.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// parts are what there is to measure, in the order that disturbs the later ones least: a quiet session first, its memory before much went through it.
var parts = []struct {
	name string
	run  func(context.Context, *bench) error
}{
	{"start", benchStarts},
	{"repository", benchRepository},
	{"cost", benchCost},
	{"listen", benchListens},
	{"forward", benchForwards},
	{"idle", benchIdle},
	{"requests", benchRequests},
	{"bulk", benchBulk},
	{"beside", benchBeside},
	{"outage", benchOutages},
}

func main() {
	if handled, err := played(os.Args[1:]); handled {
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench inside:", err)
			os.Exit(1)
		}
		return
	}
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	b := &bench{out: os.Stdout}
	flag.StringVar(&b.server, "server", "bin/sketch-ide", "the backend under test")
	flag.StringVar(&b.image, "base-image", os.Getenv("SKETCH_IDE_BASE_IMAGE"), "base image")
	flag.IntVar(&b.reps, "reps", 5, "repetitions of each measurement")
	flag.IntVar(&b.rounds, "rounds", 50, "listens per kind of address")
	flag.IntVar(&b.conns, "conns", 10_000, "idle connections")
	flag.DurationVar(&b.span, "span", time.Second, "how long one measurement of a rate takes")
	run := flag.String("run", "", "measure only the parts that match `regexp`: "+strings.Join(names, " "))
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := b.run(ctx, *run); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// played plays one of the parts that this program has inside containers, if the arguments are for one.
func played(args []string) (bool, error) {
	switch {
	case len(args) == 1 && args[0] == insideArg:
		return true, inside()
	case len(args) == 1 && args[0] == servedArg:
		return true, takeOrders()
	case len(args) == 2 && args[0] == seedArg:
		return true, serveSeed(args[1])
	}
	return false, nil
}

func (b *bench) run(ctx context.Context, pattern string) (err error) {
	chosen, err := regexp.Compile(cmp.Or(pattern, "."))
	if err != nil {
		return err
	}
	if err := raiseFiles(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "sketch-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	repo := filepath.Join(b.dir, "bench-repo")
	if err := makeRepo(ctx, repo); err != nil {
		return err
	}
	if b.editor, err = startEditor(ctx, b.server, b.dir, repo, b.image); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close(context.WithoutCancel(ctx))) }()
	for _, p := range parts {
		if !chosen.MatchString(p.name) {
			continue
		}
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	b.summary()
	return nil
}
