package shell

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"plain", "a\tb\n", "a\tb\n"},
		{"text", "naïve ✓ 日本\n", "naïve ✓ 日本\n"},
		{"colours", "\x1b[1;31mred\x1b[0m \x1b[38;5;9mx\x1b[m", "red x"},
		{"title", "\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink"},
		{"unended string ends with its line", "\x1b]0;title\nb", "\nb"},
		{"charset and keypad", "\x1b(Ba\x1b=b\x1b", "ab"},
		{"progress", " 10%\r 50%\r100%\ndone\n", "100%\ndone\n"},
		{"DOS lines", "a\r\nb\r\n", "a\nb\n"},
		{"overstrike", "a\bab\bb\n", "ab\n"},
		{"backspace stays in its line", "a\n\b\bb", "a\nb"},
		{"binary", "\x00\x01\xff\xfeELF\x7f\x00", "\uFFFDELF\uFFFD"},
		{"cut in a character", "\xa9abc\xc3", "\uFFFDabc\uFFFD"},
		{"cut in a sequence", "a\x1b[3", "a"},
		{"broken sequence", "a\x1b[3\nb", "a\nb"},
	} {
		if got := Clean([]byte(test.in)); got != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add([]byte("a\x1b[31mb\r\nc\x00\xff\b\b\x1b]x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text := Clean(data)
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x1b\r\b\x7f") || len(text) > 3*len(data) {
			t.Errorf("%q", text)
		}
		if again := Clean([]byte(text)); again != text {
			t.Errorf("%q, again %q", text, again)
		}
	})
}
