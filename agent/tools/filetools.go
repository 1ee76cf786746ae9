package tools

import (
	"context"
	"errors"
	"fmt"

	"github.com/sketch-ide/sketch-ide/agent/tools/internal/files"
)

type readInput struct {
	Path  string `json:"path" jsonschema:"Path, relative to the workspace or absolute."`
	Line  int    `json:"line,omitempty" jsonschema:"First line to read, from 1."`
	Count int    `json:"count,omitempty" jsonschema:"How many lines; default: as many as fit (2000 lines, 48 KiB)."`
}

func (s *Set) readFile() Tool {
	return newTool("read_file", "Reads a text file, with line numbers before a tab that are not part of it, or looks at an image (PNG, JPEG, GIF, WebP).",
		func(in readInput) string { return in.Path },
		func(ctx context.Context, _ Call, in readInput) (Result, error) {
			content, err := s.files.Read(ctx, in.Path, in.Line, in.Count)
			if err != nil {
				return s.fileResult(ctx, "", err)
			}
			result := Result{Text: content.Text}
			if content.Image != nil {
				result.addImage(content.Image)
				result.Failed = len(result.Images) == 0
			}
			return s.guided(in.Path, result), nil
		})
}

type listInput struct {
	Path    string `json:"path,omitempty" jsonschema:"Directory, relative to the workspace or absolute; default: the workspace."`
	Pattern string `json:"pattern,omitempty" jsonschema:"Find files below it, at any depth: *.go by name, cmd/**/*.go by path; {a,b} and [a-z] work."`
}

func (s *Set) listFiles() Tool {
	return newTool("list_files", "Lists a directory, or finds the files below it that match a pattern. What git ignores is not found.",
		func(in listInput) string { return in.Path + " " + in.Pattern },
		func(ctx context.Context, _ Call, in listInput) (Result, error) {
			text, err := s.files.List(ctx, in.Path, in.Pattern)
			return s.fileResult(ctx, text, err)
		})
}

type searchInput struct {
	Pattern    string `json:"pattern" jsonschema:"Regular expression (RE2), for one line."`
	Path       string `json:"path,omitempty" jsonschema:"File or directory; default: the workspace."`
	Glob       string `json:"glob,omitempty" jsonschema:"Only in files like *.go or cmd/**/*.go."`
	Literal    bool   `json:"literal,omitempty" jsonschema:"The pattern is plain text."`
	IgnoreCase bool   `json:"ignore_case,omitempty" jsonschema:"Upper and lower case are the same."`
	Context    int    `json:"context,omitempty" jsonschema:"Lines to show around each match, at most 20."`
}

func (s *Set) search() Tool {
	return newTool("search", "Searches for lines in text files; what git ignores is left out. Matches come as path:line:text.",
		func(in searchInput) string { return in.Pattern },
		func(ctx context.Context, _ Call, in searchInput) (Result, error) {
			within, cancel := context.WithTimeout(ctx, s.cfg.Limits.Other)
			defer cancel()
			text, err := s.files.Search(within, files.Query{
				Pattern: in.Pattern, Literal: in.Literal, IgnoreCase: in.IgnoreCase, Path: in.Path, Glob: in.Glob, Context: in.Context,
			})
			return s.fileResult(ctx, text, err)
		})
}

type patchOp string

type patchHunk struct {
	Op  patchOp `json:"op" jsonschema:"replace: old, which is in the file exactly once, becomes new. append, prepend: new comes after the end or before the beginning. overwrite: new becomes the whole file, which is made if it does not exist."`
	Old string  `json:"old,omitempty" jsonschema:"For replace: text as it stands in the file, with its white space, without line numbers."`
	New string  `json:"new" jsonschema:"The new text."`
	All bool    `json:"all,omitempty" jsonschema:"For replace: replace old wherever it is."`
}

type patchInput struct {
	Path  string      `json:"path" jsonschema:"The file, relative to the workspace or absolute."`
	Hunks []patchHunk `json:"hunks" jsonschema:"Changes, applied in order. If one cannot be, none is."`
}

func (s *Set) patch() Tool {
	return newTool("patch", "Changes or makes one text file. Line ends (CRLF), mode and byte order mark are kept; missing directories are made.",
		func(in patchInput) string { return in.Path }, s.runPatch)
}

func (s *Set) runPatch(ctx context.Context, _ Call, in patchInput) (Result, error) {
	hunks := make([]files.Hunk, len(in.Hunks))
	for i, h := range in.Hunks {
		hunks[i] = files.Hunk{Op: files.Op(h.Op), Old: h.Old, New: h.New, All: h.All}
	}
	patched, err := s.files.Patch(in.Path, hunks)
	if err != nil {
		return s.fileResult(ctx, "", err)
	}
	return s.guided(in.Path, Result{Text: patched.Text, Diff: patched.Diff}), nil
}

// fileResult tells the model what went wrong with a file.
func (s *Set) fileResult(ctx context.Context, text string, err error) (Result, error) {
	switch {
	case err == nil:
		return Result{Text: text}, nil
	case ctx.Err() != nil:
		return Result{}, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return failed(fmt.Sprintf("It took longer than %s and was ended: narrow it down.", span(s.cfg.Limits.Other))), nil
	}
	return failed(err.Error()), nil
}
