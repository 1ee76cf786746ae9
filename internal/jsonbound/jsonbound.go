// Package jsonbound says how much a JSON text will take once it is decoded, before that is done. A value of two bytes ({}) can take hundreds in
// memory, so that a bound on the text alone is none. It holds no state.
package jsonbound

// Values is about how many values a JSON text has: its commas, and its opening braces and brackets, outside of strings. The text need not be valid.
func Values(text []byte) int {
	n, inString := 1, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == '{' || c == '['):
			n++
		}
	}
	return n
}
