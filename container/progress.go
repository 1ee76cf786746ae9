package container

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Stage is what EnsureImage is at.
type Stage string

// Stages, in the order in which a build without any cache goes through them.
const (
	StagePull  Stage = "pull"  // fetching a base image
	StageBuild Stage = "build" // the Dockerfile's steps
	StageProbe Stage = "probe" // looking at what is in the image
	StageLayer Stage = "layer" // adding what of ours the image lacks
)

// Progress is one line of news about an image on its way. None is sent for an image that is there already.
type Progress struct {
	Stage   Stage
	Message string // one line, printable, at most 200 bytes
	Percent int    // of the stage, 0 to 100; -1 where it is not known
}

const maxLine = 200

// reporter is a report function that is never nil and only says printable things.
type reporter func(Progress)

func newReporter(report func(Progress)) reporter {
	return func(p Progress) {
		p.Message = printable(p.Message)
		if report != nil && p.Message != "" {
			report(p)
		}
	}
}

// printable makes one bounded line of s: what comes from a build may hold escape sequences, tabs and rewritten lines.
func printable(s string) string {
	s = strings.TrimRight(s, "\r\n")
	if i := strings.LastIndexByte(s, '\r'); i >= 0 {
		s = s[i+1:]
	}
	s = plain(s)
	if len(s) <= maxLine {
		return s
	}
	cut := maxLine - len("…")
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// plain makes one line of s without anything that a terminal would obey.
func plain(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, stripEscapes(s)))
}

// stripEscapes removes ANSI control sequences (ECMA-48 §5.4): ESC [ parameters final.
func stripEscapes(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		i := strings.IndexFunc(after, func(r rune) bool { return r >= 0x40 && r <= 0x7e })
		if i < 0 {
			return b.String()
		}
		s = after[i+1:]
	}
}
