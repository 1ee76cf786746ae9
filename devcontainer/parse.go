package devcontainer

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tailscale/hujson"
)

// Bounds of a document. The parser is recursive, and its tree takes some hundred bytes for each value.
const (
	maxDepth  = 100
	maxValues = 20_000
)

// parse reads JSON with comments and trailing commas. Offsets in the tree are those in the text returned, which is data without what editors put around it.
func parse(file string, data []byte) (hujson.Value, []byte, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	text := append(slices.Clip(data), '\n') // the parser wants a last line comment to be ended
	if offset, problem := checkBounds(text); problem != "" {
		return hujson.Value{}, nil, &SyntaxError{position(file, text, offset), problem}
	}
	v, err := hujson.Parse(text)
	if err != nil {
		return hujson.Value{}, nil, syntaxError(file, text, err)
	}
	return v, text, nil
}

// syntaxError takes the place out of the parser's message, which has it nowhere else.
func syntaxError(file string, text []byte, err error) error {
	at := Position{File: file, Line: 1, Column: 1}
	if _, scanErr := fmt.Sscanf(err.Error(), "hujson: line %d, column %d:", &at.Line, &at.Column); scanErr == nil {
		start := 0
		for range at.Line - 1 {
			start += bytes.IndexByte(text[start:], '\n') + 1
		}
		at = position(file, text, start+at.Column-1)
		if inner := errors.Unwrap(err); inner != nil {
			err = inner
		}
	}
	return &SyntaxError{at, fmt.Sprintf("%.200s", err)}
}

// checkBounds looks for the first byte where a document is nested too deeply or has too many values. Up to the first syntax error it sees the document as
// the parser does; what is behind that does not matter.
func checkBounds(text []byte) (offset int, problem string) {
	depth, values := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
		case '/':
			i = endOfComment(text, i)
		case '{', '[':
			depth++
			values++
		case '}', ']':
			depth--
		case ',':
			values++
		}
		if depth > maxDepth {
			return i, fmt.Sprintf("nested more than %d deep", maxDepth)
		}
		if values > maxValues {
			return i, fmt.Sprintf("more than %d values", maxValues)
		}
	}
	return 0, ""
}

// endOfString is the offset of the quote that ends the string that begins at i.
func endOfString(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i
}

// endOfComment is the offset of the last byte of the comment that begins at i, or i if none does.
func endOfComment(text []byte, i int) int {
	rest := text[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("//")):
		if n := bytes.IndexByte(rest, '\n'); n >= 0 {
			return i + n
		}
		return len(text)
	case bytes.HasPrefix(rest, []byte("/*")):
		if n := bytes.Index(rest[2:], []byte("*/")); n >= 0 {
			return i + n + 3
		}
		return len(text)
	}
	return i
}
