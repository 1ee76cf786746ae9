package container

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"plain", "hello\n", "hello"},
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"cut sequence", "a\x1b[3", "a"},
		{"progress bar", " 10%\r 20%\r100%\r\n", "100%"},
		{"controls", "a\x00\x07\x1bb\tc", "ab c"},
		{"bad UTF-8", "a\xffb", "ab"},
		{"long", strings.Repeat("ü", 200), strings.Repeat("ü", 98) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := printable(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[31mred\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		if got := printable(s); !utf8.ValidString(got) || len(got) > maxLine || strings.ContainsAny(got, "\r\n\x1b") {
			t.Errorf("got %q", got)
		}
	})
}
