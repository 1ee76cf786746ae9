package container

import (
	"regexp"
	"slices"
	"strings"
)

// dockerfile is what must be known of a Dockerfile before the engine builds it: which images it stands on, and whether
// it looks at its context at all. It is read leniently; what is wrong in it is for the builder to say.
type dockerfile struct {
	bases   []string // image references of FROM and COPY --from, in order, without stages of its own and scratch
	context bool     // some instruction may read files of the context
	heredoc bool     // it has a here-document, which only BuildKit knows
	flaw    string   // what makes it none, where the engine has no words for that; or ""
}

func parseDockerfile(data []byte, args map[string]string) dockerfile {
	p := dockerfileParser{given: args, vars: map[string]string{}, stages: map[string]bool{"scratch": true}}
	lines := logicalLines(string(data), syntaxOf(string(data)))
	for _, line := range lines {
		p.instruction(line)
	}
	switch {
	case len(lines) == 0:
		p.out.flaw = "it is empty"
	case !p.other:
		p.out.flaw = "it has no FROM" // at which engines of 20.10 hang up
	}
	return p.out
}

type dockerfileParser struct {
	given  map[string]string // build arguments
	vars   map[string]string // ARGs before the first FROM, the only ones that a FROM can use
	stages map[string]bool   // names that are no images, in lower case
	begun  bool              // a FROM was seen
	other  bool              // something else than ARG was seen
	out    dockerfile
}

func (p *dockerfileParser) instruction(line string) {
	fields := strings.Fields(line)
	p.out.heredoc = p.out.heredoc || regexpHeredoc.MatchString(line)
	word := strings.ToUpper(fields[0])
	p.other = p.other || word != "ARG"
	switch word {
	case "ARG":
		p.arg(fields[1:])
	case "FROM":
		p.from(fields[1:])
	case "COPY", "ADD":
		p.copy(fields[1:])
	case "RUN":
		p.out.context = p.out.context || strings.Contains(line, "--mount")
	}
}

func (p *dockerfileParser) arg(fields []string) {
	if p.begun {
		return
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		if given, ok := p.given[name]; ok {
			value = given
		} else {
			value = p.expand(strings.Trim(value, `"'`))
		}
		if len(value) <= maxArg {
			p.vars[name] = value
		}
	}
}

func (p *dockerfileParser) from(fields []string) {
	p.begun = true
	fields = slices.DeleteFunc(fields, func(f string) bool { return strings.HasPrefix(f, "--") })
	if len(fields) == 0 {
		return
	}
	p.base(p.expand(strings.Trim(fields[0], `"'`)))
	if len(fields) == 3 && strings.EqualFold(fields[1], "AS") {
		p.stages[strings.ToLower(fields[2])] = true
	}
}

func (p *dockerfileParser) copy(fields []string) {
	for _, f := range fields {
		if from, ok := strings.CutPrefix(f, "--from="); ok {
			if !regexpNumber.MatchString(from) {
				p.base(from)
			}
			return
		}
	}
	p.out.context = true
}

// maxBases bounds the images that one Dockerfile makes us ask for.
const maxBases = 100

func (p *dockerfileParser) base(ref string) {
	if ref == "" || len(p.out.bases) > maxBases || strings.ContainsAny(ref, "$") || p.stages[strings.ToLower(ref)] || slices.Contains(p.out.bases, ref) {
		return
	}
	p.out.bases = append(p.out.bases, ref)
}

var (
	regexpNumber   = regexp.MustCompile(`^[0-9]+$`)
	regexpVariable = regexp.MustCompile(`\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})`)
)

// maxArg bounds what variables grow to, each of which may hold others several times. No name of an image is as long.
const maxArg = 1024

// expand replaces variables; an unknown one makes the result "".
func (p *dockerfileParser) expand(s string) string {
	if len(s) > maxArg {
		return ""
	}
	unknown := false
	s = regexpVariable.ReplaceAllStringFunc(s, func(ref string) string {
		m := regexpVariable.FindStringSubmatch(ref)
		if value := p.vars[m[1]+m[2]]; value != "" {
			return value
		}
		unknown = unknown || m[3] == ""
		return m[3]
	})
	if unknown {
		return ""
	}
	return s
}
