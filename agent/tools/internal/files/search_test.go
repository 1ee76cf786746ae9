package files

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// TestSearch runs each query with ripgrep and with our own walk: both have to find the same.
func TestSearch(t *testing.T) {
	t.Parallel()
	f, dir := world(t, map[string]string{
		"a.go": "package a\n\nfunc Foo() {\n\tbar()\n}\n\nfunc foo2() {}\n", "sub/b.go": "// Foo is here\nvar x = \"a.b\"\n", "c.txt": "Foo\r\nlast",
		"bin": "Foo\x00Foo\n", "ignored.log": "Foo\n", ".gitignore": "*.log\n", "wide.js": "Foo" + strings.Repeat("x", 5000) + "\n", ".config/d": "Foo\n",
		"many.txt": strings.Repeat("many\n", 400),
	})
	git(t, dir, "init", "-q")
	own := New(Config{Dir: dir})
	own.rg = ""
	rg, err := exec.LookPath("rg")
	if err != nil {
		t.Fatal("ripgrep is needed (apt-get install ripgrep)")
	}
	f.rg = rg
	wide := "wide.js:1:Foo" + strings.Repeat("x", maxShown-3) + " […]\n"
	for _, test := range []struct {
		name  string
		query Query
		want  string
	}{
		{"plain", Query{Pattern: "Foo"}, ".config/d:1:Foo\na.go:3:func Foo() {\nc.txt:1:Foo\nsub/b.go:1:// Foo is here\n" + wide},
		{"expression", Query{Pattern: `^func \w+2`}, "a.go:7:func foo2() {}\n"},
		{"case", Query{Pattern: "FOO2", IgnoreCase: true}, "a.go:7:func foo2() {}\n"},
		{"literal", Query{Pattern: "a.b", Literal: true}, "sub/b.go:2:var x = \"a.b\"\n"},
		{"directory", Query{Pattern: "Foo", Path: "sub"}, "sub/b.go:1:// Foo is here\n"},
		{"one file", Query{Pattern: "last", Path: "c.txt"}, "c.txt:2:last\n"},
		{"glob", Query{Pattern: "Foo", Glob: "*.{go,txt}"}, "a.go:3:func Foo() {\nc.txt:1:Foo\nsub/b.go:1:// Foo is here\n"},
		{"context", Query{Pattern: "bar", Context: 1}, "a.go-3-func Foo() {\na.go:4:\tbar()\na.go-5-}\n"},
		{"contexts that are apart", Query{Pattern: "package|foo2", Path: "a.go", Context: 1}, "a.go:1:package a\na.go-2-\n--\na.go-6-\na.go:7:func foo2() {}\n"},
		{"contexts that meet", Query{Pattern: "bar|^}", Path: "a.go", Context: 1}, "a.go-3-func Foo() {\na.go:4:\tbar()\na.go:5:}\na.go-6-\n"},
		{"nothing", Query{Pattern: "nowhere"}, "No match.\n"},
		{"many", Query{Pattern: "many"}, manyMatches()},
	} {
		for name, files := range map[string]*Files{"rg": f, "own": own} {
			got, err := files.Search(t.Context(), test.query)
			if err != nil || got != test.want {
				t.Errorf("%s by %s: %v, got\n%s", test.name, name, err, got)
			}
		}
	}
	for _, files := range []*Files{f, own} {
		for want, query := range map[string]Query{
			"no regular expression": {Pattern: "("}, "one line": {Pattern: "a\nb"}, "does not exist": {Pattern: "a", Path: "nowhere"},
		} {
			_, err := files.Search(t.Context(), query)
			wantError(t, err, want)
		}
	}
}

func manyMatches() string {
	var b strings.Builder
	for i := range maxMatches {
		fmt.Fprintf(&b, "many.txt:%d:many\n", i+1)
	}
	return b.String() + "[there are more: narrow the pattern, the glob or the path]\n"
}
