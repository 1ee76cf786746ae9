package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// screen prints lines above a footer that stays below them. Where it is not live there is no footer, only lines. Everything that goes through it is
// cleaned. It is not safe for concurrent use.
type screen struct {
	w      io.Writer
	live   bool
	footer []string

	midline bool // the last line has not ended
}

func newScreen(w io.Writer, live bool) screen { return screen{w: w, live: live && isTerminal(w)} }

// isTerminal tells whether a person looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// height is the number of rows of the terminal.
func (s *screen) height() int {
	if f, ok := s.w.(*os.File); ok {
		if _, rows, err := term.GetSize(int(f.Fd())); err == nil {
			return rows
		}
	}
	return 24
}

func (s *screen) print(line string) { s.update([]string{line}, s.footer) }

func (s *screen) setFooter(lines []string) { s.update(nil, lines) }

// update prints lines and changes the footer, in one write.
func (s *screen) update(lines, footer []string) {
	var b strings.Builder
	if s.live && len(s.footer) > 0 {
		// ECMA-48: cursor up, erase below; first past the ^C that a terminal echoes.
		fmt.Fprintf(&b, "\r\x1b[%dA\x1b[J", len(s.footer)+1)
	}
	if s.midline && len(lines) > 0 {
		b.WriteString("\n")
		s.midline = false
	}
	for _, line := range lines {
		b.WriteString(clean(line) + "\n")
	}
	s.footer = footer
	if s.live && len(footer) > 0 {
		b.WriteString("\n")
		width := s.width()
		for _, line := range footer {
			b.WriteString(clip(clean(line), width) + "\n") // a line that wraps could not be erased
		}
	}
	_, _ = io.WriteString(s.w, b.String()) // a terminal that is gone has nobody to tell
}

func (s *screen) width() int {
	if f, ok := s.w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 80
}

// clip cuts a line to so many characters.
func clip(line string, width int) string {
	r := []rune(line)
	if len(r) <= width {
		return line
	}
	return string(r[:max(width-1, 0)]) + "…"
}
