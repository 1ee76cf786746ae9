package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// parseAge reads a duration as people say it: what time.ParseDuration knows, with days and weeks in front, such as 7d or 2w or 1d12h.
func parseAge(s string) (time.Duration, error) {
	var total time.Duration
	rest := s
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		number, after, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/4/unit.is) {
			return 0, fmt.Errorf("%q is no age such as 7d or 12h", s)
		}
		total, rest = total+time.Duration(n)*unit.is, after
	}
	if rest == "" && s != "" {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || total+d < 0 {
		return 0, fmt.Errorf("%q is no age such as 7d or 12h", s)
	}
	return total + d, nil
}

// ageValue is an age as a flag.
type ageValue time.Duration

// Set reads the flag.
func (v *ageValue) Set(s string) error {
	d, err := parseAge(s)
	*v = ageValue(d)
	return err
}

// Type names what the flag takes.
func (v *ageValue) Type() string { return "age" }

func (v *ageValue) String() string {
	if *v == 0 {
		return ""
	}
	return time.Duration(*v).String()
}
