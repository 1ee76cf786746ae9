package jsonrpc

import (
	_ "embed"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// guideIntro is the part of docs/write-a-client.md that no table knows.
//
//go:embed testdata/client.md
var guideIntro string

// guideTranscripts are the conversations that the guide shows; they are tests too.
var guideTranscripts = []struct{ file, title string }{
	{"neovim", "A plain client"},
	{"rich", "A client that declares the extension"},
	{"toast_actions_rich", "A toast with actions"},
}

// guide renders docs/write-a-client.md.
func guide(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("<!-- Generated from jsonrpc/commands.go, methods.go, testdata/client.md and testdata/transcripts by `go generate ./jsonrpc`. -->\n\n")
	b.WriteString(guideIntro)
	b.WriteString("\n## Everything that can be asked for\n\n| Command | Argument | Result | What it does |\n|---|---|---|---|\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "| [`%s`](protocol.md#%s) | %s | %s | %s |\n", c.name, strings.ReplaceAll(strings.ToLower(c.name), ".", ""),
			guideLink(c.params.Name(), "–"), guideLink(c.result.Name(), "`null`"), c.doc)
	}
	b.WriteString("\n## Everything that is told\n\n| Notification | Params | When |\n|---|---|---|\n")
	for _, n := range notifications() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", n.name, guideLink(n.params.Name(), ""), n.doc)
	}
	b.WriteString("\n## Conversations\n\nThese are tests of the server. `→` is the editor, `←` the server; headers and `\"jsonrpc\": \"2.0\"` are left out.\n")
	for _, transcript := range guideTranscripts {
		writeTranscript(t, &b, transcript.file, transcript.title)
	}
	return b.String()
}

func guideLink(goName, none string) string {
	if link := linkTo(goName, ""); link != "" {
		return strings.Replace(link, "(#", "(protocol.md#", 1)
	}
	return none
}

func writeTranscript(t *testing.T, b *strings.Builder, name, title string) {
	t.Helper()
	data, err := os.ReadFile("testdata/transcripts/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(data)
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n```\n", title, strings.TrimSpace(string(archive.Comment)))
	arrows := map[string]string{"editor": "→ ", "server": "← "}
	for _, file := range archive.Files {
		arrow, spoken := arrows[file.Name]
		for line := range strings.Lines(string(file.Data)) {
			if spoken && strings.TrimSpace(line) != "" {
				b.WriteString(arrow + strings.TrimSpace(line) + "\n")
			}
		}
	}
	b.WriteString("```\n")
}
