package devcontainer

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrOutside means that a path leads out of the repository.
var ErrOutside = errors.New("path leads out of the repository")

// Position is a place in a file.
type Position struct {
	File         string // as it was given to Load
	Line, Column int    // from 1; columns are characters (Unicode code points)
}

func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// position finds the place of a byte of data.
func position(file string, data []byte, offset int) Position {
	before := data[:min(offset, len(data))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return Position{File: file, Line: 1 + bytes.Count(before, []byte("\n")), Column: 1 + utf8.RuneCount(before[start:])}
}

// KeyError is one key, or one entry of it, that could not be understood and was left out.
type KeyError struct {
	Position
	Key     string // "build.dockerfile", "mounts[2]", `containerEnv["A B"]`
	Problem string // "want a string, got a number"
	Err     error  // ErrOutside or nil
}

func (e *KeyError) Error() string { return fmt.Sprintf("%s: %s: %s", e.Position, e.Key, e.Problem) }

// Unwrap returns Err.
func (e *KeyError) Unwrap() error { return e.Err }

// SyntaxError is a file that is not JSON with comments, or one beyond the bounds. Nothing of it was understood.
type SyntaxError struct {
	Position
	Problem string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s: %s", e.Position, e.Problem) }
