package review

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// problem is a line of go vet or gopls.
type problem struct {
	text string // the whole
	key  string // without what changes when lines move
}

// place is the beginning of a problem: a file, a line, and maybe a column or a range.
var place = regexp.MustCompile(`^(?:vet: )?(\S[^:\n]*\.go):\d+(?::\d+(?:-[\d:]+)?)?: (.*)$`)

// parseProblems takes the problems out of an output. Paths become relative to dir, so that two trees compare.
func parseProblems(dir, output string) []problem {
	var all []problem
	for line := range strings.Lines(strings.ReplaceAll(output, dir+"/", "")) {
		line = strings.TrimRight(line, "\r\n")
		m := place.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		all = append(all, problem{line, strings.TrimPrefix(m[1], "./") + ": " + m[2]})
	}
	return all
}

// fresh returns the problems that there are now and were not before. The same one twice as often is new once.
func fresh(before, now []problem) []problem {
	left := make(map[string]int)
	for _, p := range before {
		left[p.key]++
	}
	var newly []problem
	for _, p := range now {
		if left[p.key]--; left[p.key] < 0 {
			newly = append(newly, p)
		}
	}
	return newly
}

// results is how tests went, by package and name.
type results struct {
	passed, skipped int
	failures        []failure
	status          map[string]string // "pass", "fail" or "skip", of all tests
}

type failure struct {
	name   string // package and test, or the package alone where it does not build or its tests did not run
	output string
}

func (r results) failed() bool { return len(r.failures) > 0 }

func (r results) summary() string {
	text := fmt.Sprintf("%d tests passed", r.passed)
	if n := len(r.failures); n > 0 {
		text += fmt.Sprintf(", %d failures", n)
	}
	if r.skipped > 0 {
		text += fmt.Sprintf(", %d skipped", r.skipped)
	}
	return text
}

// compare splits the failures into those that are new and those that were there before.
func (r results) compare(before results) (newly, old []failure) {
	for _, f := range r.failures {
		if before.status[f.name] == "fail" {
			old = append(old, f)
		} else {
			newly = append(newly, f)
		}
	}
	return newly, old
}

// parseTests reads the output of go test -json. A parent whose subtest failed, and a package whose test failed, are not told of again.
func parseTests(output string) results {
	r := results{status: make(map[string]string)}
	text := make(map[string]*strings.Builder)
	add := func(name, s string) {
		b := text[name]
		if b == nil {
			b = &strings.Builder{}
			text[name] = b
		}
		if b.Len() < 64<<10 && !strings.HasPrefix(s, "=== ") {
			b.WriteString(s)
		}
	}
	var failed []string
	builds := make(map[string]string) // of a package, whose build failed
	for line := range strings.Lines(output) {
		var e struct{ Action, Package, ImportPath, Test, Output, FailedBuild string }
		if json.Unmarshal([]byte(line), &e) != nil {
			continue
		}
		name := e.Package
		if e.Test != "" {
			name += " " + e.Test
		}
		switch e.Action {
		case "output":
			add(name, e.Output)
		case "build-output":
			add("build "+e.ImportPath, e.Output)
		case "pass", "skip", "fail":
			r.status[name] = e.Action
			if e.Test != "" && e.Action == "pass" {
				r.passed++
			}
			if e.Test != "" && e.Action == "skip" {
				r.skipped++
			}
			if e.Action == "fail" {
				failed = append(failed, name)
				builds[name] = e.FailedBuild
			}
		}
	}
	for _, name := range failed {
		below := func(other string) bool {
			return other != name && (strings.HasPrefix(other, name+"/") && strings.Contains(name, " ") || strings.HasPrefix(other, name+" "))
		}
		if slices.ContainsFunc(failed, below) {
			continue
		}
		f := failure{name: name}
		for _, source := range []string{"build " + builds[name], name} {
			if b := text[source]; b != nil {
				f.output += b.String()
			}
		}
		r.failures = append(r.failures, f)
	}
	return r
}
