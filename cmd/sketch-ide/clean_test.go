package main

import "testing"

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain text, ünïcödé 端口\n\tand tabs": "plain text, ünïcödé 端口\n\tand tabs",
		"\x1b]0;title\a\x1b[2J":              "]0;title[2J",
		"\u009b31mred":                       "31mred",
		"abc\u202edef\u200b":                 "abcdef",
		"carriage\rreturn\b\x00\x7f":         "carriagereturn",
		"bad \xff\xfe bytes":                 "bad  bytes",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}
