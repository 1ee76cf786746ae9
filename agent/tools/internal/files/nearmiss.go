package files

import (
	"fmt"
	"strings"
)

const (
	maxNearLines = 30        // that are shown
	maxNearWork  = 4_000_000 // comparisons of lines
)

// nearMiss says what in a text is most like a part that is not in it, so that the next attempt succeeds.
func nearMiss(text, part string) string {
	lines, want := splitTrimmed(text), splitTrimmed(strings.Trim(part, "\r\n"))
	if len(want) == 0 || len(lines)*len(want) > maxNearWork {
		return "Read the file again."
	}
	best, score := -1, 0
	for i := range lines {
		n := 0
		for j := 0; j < len(want) && i+j < len(lines); j++ {
			if lines[i+j].trimmed == want[j].trimmed && want[j].trimmed != "" {
				n += 1 + len(want[j].trimmed)/8 // a closing brace says less than a long line
			}
		}
		if n > score {
			best, score = i, n
		}
	}
	if best < 0 {
		return "Nothing in it is like that; read the file again."
	}
	end := min(best+len(want), len(lines), best+maxNearLines)
	var b strings.Builder
	b.WriteString(difference(lines[best:], want))
	fmt.Fprintf(&b, " The file has, from line %d:\n", best+1)
	for _, line := range lines[best:end] {
		b.WriteString(shorten(line.whole) + "\n")
	}
	return b.String()
}

type line struct{ whole, trimmed string }

func splitTrimmed(text string) []line {
	all := strings.Split(text, "\n")
	lines := make([]line, len(all))
	for i, s := range all {
		lines[i] = line{strings.TrimSuffix(s, "\r"), strings.TrimSpace(s)}
	}
	return lines
}

// difference says where the two part.
func difference(have, want []line) string {
	for i, w := range want {
		if i >= len(have) {
			return "It goes beyond the end of the file."
		}
		if have[i].trimmed != w.trimmed {
			return fmt.Sprintf("It comes closest, but line %d of old differs: %q is %q in the file.", i+1, shorten(w.whole), shorten(have[i].whole))
		}
	}
	return "It is there but for white space (tabs, spaces, indentation)."
}
