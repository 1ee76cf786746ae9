package main

import (
	"testing"
	"time"
)

func TestParseAge(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"7d": 7 * day, "2w": 14 * day, "1w1d": 8 * day, "1d12h": 36 * time.Hour, "12h30m": 12*time.Hour + 30*time.Minute, "0s": 0, "0d": 0,
	} {
		if got, err := parseAge(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "7", "-1d", "-5h", "1.5d", "d7", "1h7d", "99999999999d", "4294967295w", "1d-2h", "nonsense"} {
		if got, err := parseAge(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzParseAge(f *testing.F) {
	f.Add("1w2d3h")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := parseAge(s); err == nil && d < 0 {
			t.Errorf("%q is %v", s, d)
		}
	})
}
