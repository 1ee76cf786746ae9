package session

import (
	"strings"
	"unicode"
)

// Bounds of what a branch's name tells of its first prompt.
const (
	maxSlug      = 40
	maxSlugWords = 5
)

// fillers are words that say nothing of a piece of work.
const fillers = " a an and any are as at be can could do does for from have hello hey hi i in into is it its let me my of on our please should so that the then there these this to us want we when with would you your "

// promptSlug makes a few readable words of the first line of a prompt that has any, for a branch: "Please fix the failing login test!" is fix-failing-login-test.
// It returns "" where there are none.
func promptSlug(prompt string) string {
	for line := range strings.Lines(prompt[:min(len(prompt), 4096)]) {
		if s := slugOfLine(line); s != "" {
			return s
		}
	}
	return ""
}

func slugOfLine(line string) string {
	var words []string
	length := 0
	for _, word := range strings.FieldsFunc(strings.ToLower(line), func(r rune) bool { return !isSlugRune(r) && r != '\'' }) {
		word = strings.ReplaceAll(word, "'", "")
		if word == "" || strings.Contains(fillers, " "+word+" ") {
			continue
		}
		if length += len(word) + 1; length > maxSlug+1 || len(words) == maxSlugWords {
			break
		}
		words = append(words, word)
	}
	return strings.Join(words, "-")
}

// isSlugRune allows what is easy to type everywhere.
func isSlugRune(r rune) bool {
	return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
