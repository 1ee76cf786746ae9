package shell

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text of what a program wrote: without escape sequences, each line as it stood at its end (progress bars write over
// themselves), and each run of what is no text as one replacement character.
func Clean(data []byte) string {
	if plain(data) {
		return string(data)
	}
	c := cleaner{out: make([]byte, 0, len(data))}
	for len(data) > 0 {
		data = data[c.step(data):]
	}
	return string(c.out)
}

func plain(data []byte) bool {
	for _, b := range data {
		if b < ' ' && b != '\n' && b != '\t' || b == 0x7f || b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

type cleaner struct {
	out     []byte
	line    int  // where the current line begins
	restart bool // a carriage return was seen: the next character writes over the line
}

// step takes one character or sequence, and returns its length.
func (c *cleaner) step(data []byte) int {
	switch data[0] {
	case '\n':
		c.restart = false
		c.out = append(c.out, '\n')
		c.line = len(c.out)
		return 1
	case '\r':
		c.restart = true
		return 1
	case '\b':
		if len(c.out) > c.line {
			_, n := utf8.DecodeLastRune(c.out[c.line:])
			c.out = c.out[:len(c.out)-n]
		}
		return 1
	case 0x1b:
		return escape(data)
	}
	r, n := utf8.DecodeRune(data)
	c.put(r, n)
	return n
}

func (c *cleaner) put(r rune, n int) {
	if c.restart {
		c.out, c.restart = c.out[:c.line], false
	}
	if r == utf8.RuneError && n == 1 || unicode.IsControl(r) && r != '\t' {
		if !strings.HasSuffix(string(c.out[max(0, len(c.out)-utf8.UTFMax):]), string(utf8.RuneError)) {
			c.out = utf8.AppendRune(c.out, utf8.RuneError)
		}
		return
	}
	c.out = utf8.AppendRune(c.out, r)
}

// escape returns the length of an escape sequence (ECMA-48): CSI, OSC and the like, or two characters. One that does not end ends with its line.
func escape(data []byte) int {
	if len(data) < 2 {
		return 1
	}
	switch data[1] {
	case '[':
		for i := 2; i < len(data); i++ {
			if b := data[i]; b < 0x20 || b > 0x3f {
				if b >= 0x40 && b <= 0x7e {
					i++
				}
				return i
			}
		}
		return len(data)
	case ']', 'P', 'X', '^', '_': // a string up to BEL or ST
		for i := 2; i < len(data); i++ {
			switch {
			case data[i] == 0x07:
				return i + 1
			case data[i] == 0x1b && i+1 < len(data) && data[i+1] == '\\':
				return i + 2
			case data[i] == '\n':
				return i
			}
		}
		return len(data)
	case '(', ')', '#', '%':
		return min(3, len(data))
	}
	return 2
}
