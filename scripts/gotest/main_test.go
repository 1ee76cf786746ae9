package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	const module = "github.com/sketch-ide/sketch-ide/"
	var out bytes.Buffer
	r := report{out: &out, output: map[string][]string{}, failures: map[string]int{}}
	for _, line := range []string{
		`{"Action":"output","Package":"` + module + `session","Test":"TestA/sub","Output":"it was red\n"}`,
		`{"Action":"fail","Package":"` + module + `session","Test":"TestA/sub"}`,
		`{"Action":"fail","Package":"` + module + `session","Test":"TestA"}`,
		`{"Action":"pass","Package":"` + module + `session","Test":"TestAll"}`,
		`{"Action":"fail","Package":"` + module + `session","Test":"TestB"}`,
		`{"Action":"skip","Package":"` + module + `session","Test":"TestC"}`,
		`{"Action":"fail","Package":"` + module + `session"}`,
		`{"Action":"build-output","ImportPath":"` + module + `ports","Output":"syntax error\n"}`,
		`{"Action":"fail","Package":"` + module + `ports","FailedBuild":"` + module + `ports"}`,
		`{"Action":"skip","Package":"` + module + `internal/bench"}`,
	} {
		r.line([]byte(line))
	}
	if r.passed != 1 || r.failed != 4 || r.skipped != 1 {
		t.Errorf("%+v", r.counts)
	}
	for _, want := range []string{"it was red\n", "syntax error\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in:\n%s", want, &out)
		}
	}
	out.Reset()
	r.printNames(&out)
	if got, want := out.String(), "not ok - session TestA/sub\nnot ok - session TestB\nnot ok - ports\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}
