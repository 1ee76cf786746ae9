package container

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDockerfile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		text    string
		args    map[string]string
		bases   []string
		context bool
		flaw    string
	}{
		{name: "plain", text: "FROM debian:12\nRUN true\n", bases: []string{"debian:12"}},
		{name: "copies", text: "from a\ncopy x /x", bases: []string{"a"}, context: true},
		{name: "adds", text: "FROM a\nADD x /x", bases: []string{"a"}, context: true},
		{name: "comments", text: "# FROM x\n\n  # y\nFROM a # b\n", bases: []string{"a"}},
		{name: "stages", text: "FROM --platform=linux/amd64 a AS One\nFROM scratch\nCOPY --from=one /x /\nCOPY --from=0 /x /\nCOPY --from=b:1 /x /\nFROM one", bases: []string{"a", "b:1"}},
		{name: "same twice", text: "FROM a\nFROM a", bases: []string{"a"}},
		{name: "arguments", text: "ARG V=12\nARG R=\"debian\"\nFROM $R:${V}-slim\n", args: map[string]string{"V": "13"}, bases: []string{"debian:13-slim"}},
		{name: "argument of an argument", text: "ARG A=x\nARG B=$A-y\nFROM ${B}", bases: []string{"x-y"}},
		{name: "default in place", text: "ARG A\nFROM ${A:-b:1}", bases: []string{"b:1"}},
		{name: "unknown argument", text: "ARG A\nFROM $A\nFROM b", bases: []string{"b"}},
		{name: "argument after FROM", text: "FROM a\nARG B=x\nFROM $B", bases: []string{"a"}},
		{name: "continued", text: "FROM \\\n# comment\n\n  a\nCOPY \\\n --chown=1 x /", bases: []string{"a"}, context: true},
		{name: "escape", text: "# escape=`\nFROM `\na\nRUN c:\\\nCOPY x y", bases: []string{"a"}, context: true},
		{name: "here-document", text: "FROM a\nRUN python3 <<'EOF'\nfrom os import path\nEOF\nFROM b", bases: []string{"a", "b"}},
		{name: "mount", text: "FROM a\nRUN --mount=type=bind,target=/x true", bases: []string{"a"}, context: true},
		{name: "empty", text: "\n# FROM a\n", flaw: "it is empty"},
		{name: "arguments alone", text: "ARG A\nARG B=1\n", flaw: "it has no FROM"},
		{name: "quoted", text: "FROM \"a\"\n", bases: []string{"a"}},
		{name: "byte order mark", text: "\ufeffFROM a\n", bases: []string{"a"}},
		{name: "word in two lines", text: "FR\\\nOM a\n", bases: []string{"a"}},
		{name: "broken", text: "FROM\nARG\nCOPY\n\\\n\\", context: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := parseDockerfile([]byte(tt.text), tt.args)
			if diff := cmp.Diff(dockerfile{bases: tt.bases, context: tt.context, heredoc: strings.Contains(tt.text, "<<"), flaw: tt.flaw}, got, cmp.AllowUnexported(dockerfile{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzParseDockerfile(f *testing.F) {
	f.Add([]byte("ARG A=1\nFROM a:${A} AS b\nCOPY --from=b x y\nRUN <<E\nE\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, base := range parseDockerfile(data, nil).bases {
			if base == "" || strings.ContainsAny(base, " \t\n$") {
				t.Errorf("base is %q", base)
			}
		}
	})
}
