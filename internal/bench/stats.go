//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// series are the results of one measurement's repetitions.
type series []float64

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// quantile is the smallest element that the share q of all does not exceed.
func (s series) quantile(q float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(int(math.Ceil(q*float64(len(s))))-1, 0)]
}

func (s series) median() float64 { return s.quantile(0.5) }
func (s series) worst() float64  { return s.quantile(1) }

// over are the ratios of what was measured in the same repetition.
func (s series) over(t series) series {
	var ratios series
	for i := range min(len(s), len(t)) {
		ratios = append(ratios, s[i]/t[i])
	}
	return ratios
}

// name columns of all tables.
const nameWidth = 66

func (b *bench) heading(title string, columns ...string) {
	fmt.Fprintf(b.out, "\n%-*s", nameWidth, title)
	for _, c := range columns {
		fmt.Fprintf(b.out, " %12s", c)
	}
	fmt.Fprintln(b.out)
}

func (b *bench) row(name string, values ...float64) {
	fmt.Fprintf(b.out, "%-*s", nameWidth, name)
	for _, v := range values {
		fmt.Fprintf(b.out, " %12s", figures(v))
	}
	fmt.Fprintln(b.out)
}

// figures shows three significant ones.
func figures(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// times is the row of a series of times.
func (b *bench) times(name string, s series) {
	b.row(fmt.Sprintf("%s (%d)", name, len(s)), s.median(), s.quantile(0.99), s.worst())
}

// verdict is a target and what was measured.
type verdict struct {
	what     string
	relation string
	target   float64
	measured series
}

// atLeast and atMost note a target. It is met by the median; of several values their range is shown too.
func (b *bench) atLeast(what string, s series, target float64) {
	b.verdicts = append(b.verdicts, verdict{what, ">=", target, s})
}

func (b *bench) atMost(what string, s series, target float64) {
	b.verdicts = append(b.verdicts, verdict{what, "<=", target, s})
}

func (v verdict) met() bool {
	if v.relation == ">=" {
		return v.measured.median() >= v.target
	}
	return v.measured.median() <= v.target
}

// summary is the table of all targets.
func (b *bench) summary() {
	if len(b.verdicts) == 0 {
		return
	}
	met := 0
	fmt.Fprintf(b.out, "\n%-*s %10s %10s %8s  %s\n", nameWidth, "targets", "wanted", "measured", "", "range")
	for _, v := range b.verdicts {
		word, spread := "MISSED", ""
		if v.met() {
			word = "met"
			met++
		}
		if len(v.measured) > 1 {
			spread = fmt.Sprintf("%s to %s", figures(v.measured.quantile(0)), figures(v.measured.worst()))
		}
		wanted := v.relation + " " + figures(v.target)
		fmt.Fprintf(b.out, "%-*s %10s %10s %8s  %s\n", nameWidth, v.what, wanted, figures(v.measured.median()), word, spread)
	}
	fmt.Fprintf(b.out, "%d of %d met\n", met, len(b.verdicts))
}
