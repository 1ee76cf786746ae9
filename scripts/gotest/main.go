// Command gotest [-log FILE] -- ARGUMENTS runs `go test ARGUMENTS` and reports what people and machines need of it: a line for each package, the
// whole output of what failed, at the end a line "not ok - PACKAGE TEST" for each failure, and a closing line "N passed, N failed, N skipped"
// that counts tests and subtests. A package that fails without a failed test (it does not build, or leaks a goroutine) counts as one
// failure. All events go to the file that -log names.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	log := flag.String("log", os.DevNull, "`file` for the events of go test -json")
	flag.Parse()
	counts, err := run(context.Background(), os.Stdout, *log, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		counts.failed = max(counts.failed, 1)
	}
	counts.printNames(os.Stdout)
	fmt.Printf("%d passed, %d failed, %d skipped\n", counts.passed, counts.failed, counts.skipped)
	if counts.failed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, log string, args []string) (counts, error) {
	raw, err := os.Create(log)
	if err != nil {
		return counts{}, err
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return counts{}, err
	}
	if err := cmd.Start(); err != nil {
		return counts{}, err
	}
	r := report{out: out, output: map[string][]string{}, failures: map[string]int{}}
	lines := bufio.NewReader(io.TeeReader(stdout, raw))
	for {
		line, err := lines.ReadBytes('\n')
		r.line(line)
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil && r.failed == 0 {
		return r.counts, err
	}
	return r.counts, raw.Close()
}

// event is a line of go test -json; see `go doc test2json` and `go help buildjson`.
type event struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
	Elapsed                                                float64 // seconds
}

// name is short: the module's own path says nothing.
func (e *event) name() string {
	return strings.TrimSpace(strings.TrimPrefix(e.Package, "github.com/sketch-ide/sketch-ide/") + " " + e.Test)
}

type counts struct {
	passed, failed, skipped int
	names                   []string // of what failed, subtests before what they are part of
}

// printNames leaves out what failed by its subtests only.
func (c *counts) printNames(out io.Writer) {
	for i, name := range c.names {
		part := func(other string) bool { return strings.HasPrefix(other, name+"/") }
		if !slices.ContainsFunc(c.names[:i], part) {
			fmt.Fprintln(out, "not ok -", name)
		}
	}
}

type report struct {
	counts
	out      io.Writer
	output   map[string][]string // of what has not ended: packages, tests, and builds by import path
	failures map[string]int      // tests, by package
}

func (r *report) line(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		if text := strings.TrimSpace(string(line)); text != "" {
			fmt.Fprintln(r.out, text) // what go itself has to say
		}
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		r.output[e.ImportPath] = append(r.output[e.ImportPath], e.Output)
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.packageEnded(e)
		} else {
			r.testEnded(e)
		}
		delete(r.output, key)
	}
}

func (r *report) testEnded(e event) {
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.failures[e.Package]++
		r.names = append(r.names, e.name())
		r.print(e.Package + " " + e.Test)
	case "skip":
		r.skipped++
		r.print(e.Package + " " + e.Test)
	}
}

func (r *report) packageEnded(e event) {
	switch {
	case e.Action == "skip": // it has no tests
		return
	case e.Action == "fail" && r.failures[e.Package] == 0:
		r.failed++
		r.names = append(r.names, e.name())
		r.print(e.FailedBuild)
		r.print(e.Package + " ")
	}
	fmt.Fprintf(r.out, "%s  %s  %.1f s\n", e.Action, e.Package, e.Elapsed)
}

func (r *report) print(key string) {
	for _, text := range r.output[key] {
		fmt.Fprint(r.out, text)
	}
}
