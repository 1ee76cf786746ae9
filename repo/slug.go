package repo

import (
	"fmt"
	"strings"
)

const maxSlug = 100 // bytes; leaves room for a file system's 255 and for ".lock"

// ValidSlug returns an error around [ErrSlug] when slug cannot be the last part of the branch name sketch/<slug>.
//
// The rules are stricter than those of git-check-ref-format(1): letters, digits, dash, dot and underscore, so that a slug
// needs no quoting in a shell, a URL or a file name.
func ValidSlug(slug string) error {
	var reason string
	switch {
	case slug == "":
		reason = "empty"
	case len(slug) > maxSlug:
		reason = fmt.Sprintf("longer than %d bytes", maxSlug)
	case strings.ContainsFunc(slug, notInSlug):
		reason = "has other characters than letters, digits, dash, dot and underscore"
	case slug[0] == '-' || slug[0] == '.':
		reason = "starts with a dash or a dot"
	case strings.HasSuffix(slug, ".") || strings.Contains(slug, ".."):
		reason = "ends in a dot or has two in a row"
	case strings.HasSuffix(strings.ToLower(slug), ".lock"):
		reason = "ends in .lock"
	default:
		return nil
	}
	return fmt.Errorf("branch name sketch/%.120q: %w: %s", slug, ErrSlug, reason)
}

func notInSlug(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
}
