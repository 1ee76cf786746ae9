package tunnel

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPeerText bounds, in bytes, what is shown of a text that the container wrote.
const maxPeerText = 200

// printable returns what of a text from the container may be shown or logged, on one line: without control and format
// characters, which move cursors and turn text round, and at most limit bytes of it.
func printable(text string, limit int) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case !visible(r) || r == utf8.RuneError:
			continue
		}
		if b.Len()+utf8.RuneLen(r) > limit {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// visible reports whether r is no control character (C0, C1) and no format character (Cf).
func visible(r rune) bool { return !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) }

// peerError is an error whose text the container has a hand in.
type peerError struct{ err error }

func (e *peerError) Error() string { return printable(e.err.Error(), maxPeerText) }
func (e *peerError) Unwrap() error { return e.err }
