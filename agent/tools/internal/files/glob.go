package files

import (
	"path"
	"regexp"
	"strings"
)

// compileGlob returns a function that matches relative paths: a pattern without a slash matches base names. ** is any number of
// directories, * and ? stay within one name, {a,b} are alternatives, [a-z] is a class.
func compileGlob(pattern string) (func(rel string) bool, error) {
	if len(pattern) > 1000 {
		return nil, failf("The pattern is too long.")
	}
	expr, err := regexp.Compile("^" + globToRegexp(strings.TrimPrefix(pattern, "./")) + "$")
	if err != nil {
		return nil, failf("The pattern %q cannot be understood; write it like *.go or cmd/**/*.{go,mod}.", pattern)
	}
	if !strings.Contains(pattern, "/") {
		return func(rel string) bool { return expr.MatchString(path.Base(rel)) }, nil
	}
	return expr.MatchString, nil
}

func globToRegexp(pattern string) string {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '{':
			depth++
			b.WriteString("(?:")
		case c == '}' && depth > 0:
			depth--
			b.WriteString(")")
		case c == ',' && depth > 0:
			b.WriteString("|")
		case c == '[':
			end := strings.IndexByte(pattern[i+1:], ']')
			if end < 1 {
				b.WriteString(`\[`)
				continue
			}
			class := pattern[i+1 : i+1+end]
			if class[0] == '!' {
				class = "^" + class[1:]
			}
			b.WriteString("[" + strings.ReplaceAll(class, `\`, `\\`) + "]")
			i += end + 1
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	return b.String()
}
