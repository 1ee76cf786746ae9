package container

import (
	"regexp"
	"strings"
	"unicode"
)

// dockerSyntax is how a Dockerfile's lines make instructions. It differs between engines, and with a directive.
type dockerSyntax struct {
	escape  byte // at the end of a line that is continued: \ or `
	doubled bool // a doubled escape ends the line like any other character, as engines do since 2023
	heredoc bool // here-documents are passed over, as engines do since 2021; else their lines are instructions
}

var (
	regexpEscape  = regexp.MustCompile("(?i)^#\\s*escape\\s*=\\s*`")
	regexpHeredoc = regexp.MustCompile(`<<-?["']?(\w+)["']?`)
)

// syntaxOf is what is most likely meant.
func syntaxOf(text string) dockerSyntax {
	if regexpEscape.MatchString(text) {
		return dockerSyntax{escape: '`', heredoc: true}
	}
	return dockerSyntax{escape: '\\', heredoc: true}
}

// allSyntaxes are all readings that some engine may have of a Dockerfile.
func allSyntaxes() []dockerSyntax {
	var all []dockerSyntax
	for _, escape := range []byte("\\`") {
		for i := range 4 {
			all = append(all, dockerSyntax{escape, i&1 != 0, i&2 != 0})
		}
	}
	return all
}

// logicalLines joins continued lines, and drops comments, blank lines and here-documents. No line is blank.
func logicalLines(text string, syntax dockerSyntax) []string {
	var out []string
	var current strings.Builder
	heredoc := ""
	end := func() {
		if strings.TrimSpace(current.String()) != "" {
			out = append(out, current.String())
		}
		current.Reset()
	}
	for raw := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line := strings.TrimRight(raw, "\r\n")
		word := strings.TrimSpace(line)
		if heredoc != "" {
			if word == heredoc {
				heredoc = ""
			}
			continue
		}
		if word == "" || word[0] == '#' {
			continue
		}
		part, continued := syntax.cut(line)
		if current.Len() == 0 {
			part = strings.TrimLeftFunc(part, unicode.IsSpace)
		}
		current.WriteString(part)
		if continued {
			continue
		}
		if m := regexpHeredoc.FindStringSubmatch(current.String()); m != nil && syntax.heredoc {
			heredoc = m[1]
		}
		end()
	}
	end()
	return out
}

// cut removes the escape at the end of a line that is continued. Nothing takes its place.
func (s dockerSyntax) cut(line string) (part string, continued bool) {
	trimmed := strings.TrimRight(line, " \t")
	part, continued = strings.CutSuffix(trimmed, string(s.escape))
	if !continued || s.doubled && strings.HasSuffix(part, string(s.escape)) {
		return line, false
	}
	return part, true
}
