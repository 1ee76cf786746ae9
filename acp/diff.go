package acp

import "strings"

// fileDiff is what a unified diff changes in one file: the lines of its hunks as they were and as they are.
type fileDiff struct {
	path string
	old  *string // nil: the file is new
	new  string
}

// diffFiles takes a unified diff apart. What it does not understand it leaves out.
func diffFiles(diff string) []fileDiff {
	var files []fileDiff
	var file *fileDiff
	var before, after strings.Builder
	created, inHunk := false, false
	finish := func() {
		if file == nil {
			return
		}
		if file.new = after.String(); !created {
			old := before.String()
			file.old = &old
		}
		files = append(files, *file)
		file = nil
	}
	for line := range strings.Lines(diff) {
		text := strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(text, "--- ") && !inHunk || strings.HasPrefix(text, "diff "):
			finish()
			inHunk = false
			created = text == "--- /dev/null"
			before.Reset()
			after.Reset()
			if path, ok := strings.CutPrefix(text, "--- "); ok {
				file = &fileDiff{path: diffPath(path)}
			}
		case strings.HasPrefix(text, "+++ ") && !inHunk && file != nil:
			if text != "+++ /dev/null" {
				file.path = diffPath(text[4:])
			}
		case strings.HasPrefix(text, "@@"):
			inHunk = true
		case file == nil || !inHunk || text == "":
		case text[0] == '+':
			after.WriteString(line[1:])
		case text[0] == '-':
			before.WriteString(line[1:])
		case text[0] == ' ':
			before.WriteString(line[1:])
			after.WriteString(line[1:])
		}
	}
	finish()
	return files
}

func diffPath(text string) string {
	text, _, _ = strings.Cut(text, "\t")
	for _, prefix := range []string{"a/", "b/"} {
		if path, ok := strings.CutPrefix(text, prefix); ok {
			return path
		}
	}
	return text
}
