package sshconfig

import (
	"bytes"
	"path/filepath"
	"strings"
)

// line is a line of a configuration that includes our file.
type line struct {
	start, end int  // of its bytes, with its end
	number     int  // from 1
	always     bool // it stands before every Host and Match, and so counts for every host
	alone      bool // it includes nothing else
}

// includes finds the lines that include path. home and dir are the user's home directory and ~/.ssh, to which OpenSSH relates other paths.
func includes(config []byte, path, home, dir string) []line {
	var found []line
	always, start, number := true, 0, 0
	for text := range bytes.Lines(config) {
		number++
		keyword, arguments := words(string(text))
		switch strings.ToLower(keyword) {
		case "host", "match":
			always = false
		case "include":
			l := line{start: start, end: start + len(text), number: number, always: always, alone: len(arguments) == 1}
			for _, a := range arguments {
				if absolute(a, home, dir) == path {
					found = append(found, l)
					break
				}
			}
		}
		start += len(text)
	}
	return found
}

func absolute(argument, home, dir string) string {
	switch {
	case argument == "~" || strings.HasPrefix(argument, "~/"):
		return filepath.Join(home, argument[1:])
	case filepath.IsAbs(argument):
		return filepath.Clean(argument)
	}
	return filepath.Join(dir, argument)
}

// words parts a line as OpenSSH does: a keyword, blanks or one equals sign, arguments of which some are in quotes, and perhaps a comment.
func words(text string) (keyword string, arguments []string) {
	const blanks = " \t\r\n\f"
	text = strings.Trim(text, blanks)
	if text == "" || text[0] == '#' {
		return "", nil
	}
	end := strings.IndexAny(text, blanks+"=")
	if end < 0 {
		return text, nil
	}
	keyword, text = strings.Trim(text[:end], `"`), strings.TrimLeft(text[end:], blanks)
	text = strings.TrimLeft(strings.TrimPrefix(text, "="), blanks)
	for text != "" && text[0] != '#' {
		var word string
		if word, text = argument(text); word != "" {
			arguments = append(arguments, word)
		}
		text = strings.TrimLeft(text, blanks)
	}
	return keyword, arguments
}

// argument takes the first one off text.
func argument(text string) (word, rest string) {
	var b strings.Builder
	var quoted byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted == 0 && (c == ' ' || c == '\t'):
			return b.String(), text[i:]
		case quoted == 0 && (c == '"' || c == '\''):
			quoted = c
		case c == quoted:
			quoted = 0
		case c == '\\' && i+1 < len(text) && strings.IndexByte(`"'\`, text[i+1]) >= 0:
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// statement is the line that includes path, without its end.
func statement(path string) string {
	if strings.ContainsAny(path, " #='\f") { // a form feed at the end of a line is no part of it
		return `Include "` + path + `"`
	}
	return "Include " + path
}

// withInclude puts the statement first, in the file's own kind of line end: further down it would belong to some Host.
func withInclude(config []byte, path string) []byte {
	end := "\n"
	if first, _, ok := bytes.Cut(config, []byte("\n")); ok && bytes.HasSuffix(first, []byte("\r")) {
		end = "\r\n"
	}
	return append([]byte(statement(path)+end), config...)
}

// without cuts lines out.
func without(config []byte, lines []line) []byte {
	rest, from := []byte{}, 0
	for _, l := range lines {
		rest = append(rest, config[from:l.start]...)
		from = l.end
	}
	return append(rest, config[from:]...)
}
