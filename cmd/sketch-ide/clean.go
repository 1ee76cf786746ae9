package main

import (
	"strings"
	"unicode"
)

// clean drops what could change a terminal's state or deceive its reader: control characters (but newlines and tabs) and invisible format
// characters, such as those that turn the direction of text. What the container, an image or a repository says passes here on its way to a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
}
