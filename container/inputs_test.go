package container

import (
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Sketch-IDE": "sketch-ide", "a__b..c": "a-b-c", "-x-": "x", "日本": "repository", "": "repository", "/": "repository",
		strings.Repeat("a", 99): strings.Repeat("a", 40), strings.Repeat("a", 39) + "-b": strings.Repeat("a", 39),
	} {
		if got := slug(in); got != want {
			t.Errorf("slug(%q) = %q, want %q", in, got, want)
		}
	}
}
